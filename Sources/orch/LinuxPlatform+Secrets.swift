// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchModel

extension LinuxPlatform {
    /// 32 bytes of chance, made once: by them alone the digests of secrets in the state say nothing of what was digested.
    func secretKey(making isToBeMade: Bool) throws(Fault) -> [UInt8]? {
        let path = "\(paths.state)/secrets.key"
        if let key = readTail(of: path, limit: 32), key.count == 32 { return key }
        guard isToBeMade else { return nil }
        try HomePaths.prepare(paths.state)
        var key = [UInt8](repeating: 0, count: 32)
        guard unsafe corch_random(&key, key.count) == 0 else { throw fault("make", path) }
        // Whoever links first has made it; a file that is there is whole.
        let draft = "\(path).\(getpid())"
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw fault("make", draft) }
        defer { _ = unsafe unlink(draft) }
        let code = Self.writeAll(key, to: descriptor)
        let isSynced = code == 0 && fsync(descriptor) == 0
        Glibc.close(descriptor)
        guard isSynced else { throw fault("write", draft) }
        guard unsafe link(draft, path) == 0 || errno == EEXIST else { throw fault("make", path) }
        guard let made = readTail(of: path, limit: 32), made.count == 32 else {
            throw Fault(
                step: "use the key of secrets", subject: path, reason: "it is damaged",
                remedy: "remove it: services with secrets restart once at the next apply")
        }
        return made
    }

    private func fault(_ verb: String, _ path: String) -> Fault {
        Fault(step: "\(verb) the key of secrets", subject: path, reason: Errno.text(errno))
    }
}
