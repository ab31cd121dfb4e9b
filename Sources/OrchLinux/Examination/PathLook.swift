// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// What the calling thread may do with an absolute path. The kernel itself says so: access lists, mounts and network servers count.
struct PathLook {
    let path: String

    func obstacle(to use: PathUse) -> PathObstacle? {
        switch use {
        case .enter: enter()
        case .execute: file(X_OK, "it is no file that can be executed")
        case .read: file(R_OK, "it is no file")
        case .write: write()
        case .own: own()
        }
    }

    private func enter() -> PathObstacle? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return refusal(errno) }
        guard facts.st_mode & S_IFMT == S_IFDIR else { return PathObstacle(.shape, "it is not a folder") }
        return access(X_OK)
    }

    private func file(_ mode: Int32, _ otherwise: String) -> PathObstacle? {
        var facts = stat()
        guard unsafe stat(path, &facts) == 0 else { return refusal(errno) }
        guard facts.st_mode & S_IFMT != S_IFDIR else { return PathObstacle(.shape, otherwise) }
        return access(mode)
    }

    private func write() -> PathObstacle? {
        var facts = stat()
        if unsafe lstat(path, &facts) == 0 {
            // What is written to is never followed to somewhere else.
            guard facts.st_mode & S_IFMT == S_IFREG else {
                return PathObstacle(.shape, "it is not a regular file (symbolic links are refused)")
            }
            return access(W_OK)
        }
        guard errno == ENOENT else { return refusal(errno) }
        return make()
    }

    private func own() -> PathObstacle? {
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else { return errno == ENOENT ? make() : refusal(errno) }
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            return PathObstacle(.shape, "it is not a folder (symbolic links are refused)")
        }
        guard facts.st_uid == geteuid() else {
            return PathObstacle(.denied, "it belongs to \(Account.nameOf(facts.st_uid))")
        }
        return access(R_OK | W_OK | X_OK)
    }

    /// Whether it could be made in the nearest folder that is there.
    private func make() -> PathObstacle? {
        let folder = Self(path: nearestFolder)
        guard let obstacle = folder.enter() ?? folder.access(W_OK | X_OK) else { return nil }
        return PathObstacle(obstacle.kind, "it can't be made in \(folder.path): \(obstacle.reason)")
    }

    private var nearestFolder: String {
        var folder = LogLayout.split(path).folder
        var facts = stat()
        while folder.count > 1, unsafe stat(folder, &facts) != 0, errno == ENOENT {
            folder = LogLayout.split(folder).folder
        }
        return folder
    }

    private func access(_ mode: Int32) -> PathObstacle? {
        let answer = unsafe corch_access(path, mode)
        // An older kernel can't be asked for somebody else.
        return answer == 0 || answer == -ENOSYS ? nil : refusal(-answer)
    }

    private func refusal(_ code: Int32) -> PathObstacle {
        let reason = Reason.text(code)
        switch code {
        case ENOENT, ENOTDIR: return PathObstacle(.missing, reason)
        case EACCES, EPERM:
            guard let closed = closedFolder else { return PathObstacle(.denied, reason) }
            return PathObstacle(.closed, "\(reason): the folder \(closed) is closed to it")
        default: return PathObstacle(.other, reason)
        }
    }

    /// The first folder above it that can't be passed.
    private var closedFolder: String? {
        var folder = ""
        for name in path.split(separator: "/").dropLast() {
            folder += "/\(name)"
            if unsafe corch_access(folder, X_OK) == -EACCES { return folder }
        }
        return nil
    }

    /// statvfs(3) of the nearest folder that is there.
    func space() -> (space: Room, files: Room?, isReadOnly: Bool)? {
        var facts = statvfs()
        if unsafe statvfs(path, &facts) != 0 {
            let folder = nearestFolder
            guard unsafe statvfs(folder, &facts) == 0 else { return nil }
        }
        let unit = Int64(clamping: facts.f_frsize)
        let (all, free) = (Int64(clamping: facts.f_blocks) * unit, Int64(clamping: facts.f_bavail) * unit)
        let files = Int64(clamping: facts.f_files)
        return (
            Room(used: all - free, limit: all, setBy: ""),
            // Some file systems make inodes as they are needed, and say 0.
            files > 0 ? Room(used: files - Int64(clamping: facts.f_favail), limit: files, setBy: "") : nil,
            facts.f_flag & UInt(ST_RDONLY) != 0
        )
    }
}
