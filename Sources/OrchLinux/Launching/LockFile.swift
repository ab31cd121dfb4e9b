// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// A path that is locked with flock(2). Such a lock belongs to the open file, not to a process: it holds until every copy of the
/// descriptor is closed. A launch inherits one, so that it holds as long as anything of the launch lives, daemon or not.
enum LockFile {
    /// Opens what is there, or makes a file (0644) as flock(1) does, and locks it. The last component may be no symbolic link: a daemon
    /// of root's must not be led to make files elsewhere.
    static func take(_ path: String) throws(LockTrouble) -> Descriptor {
        let file: Descriptor
        do { file = try opened(path) } catch { throw .failed(error) }
        let answer = corch_flock(file.number, 1)
        if answer == -EWOULDBLOCK { throw .held(holder(of: file.number)) }
        if answer < 0 { throw .failed(SystemError("flock", code: -answer)) }
        return file
    }

    /// Whether somebody has it now.
    static func isFree(_ path: String) -> ProbeResult {
        do {
            _ = try take(path)
            return .success
        } catch {
            switch error {
            case .held(let holder): return .failure("held by \(holder)")
            case .failed(let error): return .failure(Reason.text(error.code))
            }
        }
    }

    private static func opened(_ path: String) throws(SystemError) -> Descriptor {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
        do { return try SmallFile.open(path, flags) } catch {
            guard error.code == ENOENT else { throw error }
            return try SmallFile.open(path, flags | O_CREAT, mode: 0o644)
        }
    }

    /// Who has the open file that is locked. proc_locks(5) names whoever called flock(2), which is often a flock(1) that ended long ago.
    private static func holder(of fd: Int32) -> String {
        guard let file = SmallFile.link("/proc/self/fd/\(fd)") else { return "another process" }
        let caller = caller(of: fd)
        if let caller, hasLocked(file, caller) { return text(caller) }
        let others = SmallFile.names(in: "/proc").compactMap { Int32($0) }.sorted()
        if let found = others.first(where: { hasLocked(file, $0) }) { return text(found) }
        return "a process that this user may not look into"
    }

    private static func text(_ pid: Int32) -> String { "pid \(pid) (\(ProcessTable.commandLine(of: pid)))" }

    /// A descriptor of this file whose proc_pid_fdinfo(5) has the lock.
    private static func hasLocked(_ file: String, _ pid: Int32) -> Bool {
        SmallFile.names(in: "/proc/\(pid)/fd").contains { number in
            SmallFile.link("/proc/\(pid)/fd/\(number)") == file
                && SmallFile.text("/proc/\(pid)/fdinfo/\(number)", limit: 4096)?.contains("FLOCK") == true
        }
    }

    /// By device and inode.
    private static func caller(of fd: Int32) -> Int32? {
        var facts = stat()
        guard unsafe fstat(fd, &facts) == 0 else { return nil }
        // makedev(3) in the numbers of the kernel's text.
        let device = UInt64(facts.st_dev)
        let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
        let minor = device & 0xFF | (device >> 12) & ~0xFF
        for line in (SmallFile.text("/proc/locks", limit: 16 << 20) ?? "").split(separator: "\n") {
            let fields = Text.words(line)
            guard fields.count > 5, fields[1] == "FLOCK", let pid = Int32(fields[4]), pid > 0 else { continue }
            let place = fields[5].split(separator: ":")
            guard place.count == 3, UInt64(place[0], radix: 16) == major, UInt64(place[1], radix: 16) == minor,
                UInt64(place[2]) == UInt64(facts.st_ino)
            else { continue }
            return pid
        }
        return nil
    }
}

/// Why a lock could not be taken.
enum LockTrouble: Error {
    /// By whom, for people.
    case held(String)
    case failed(SystemError)
}
