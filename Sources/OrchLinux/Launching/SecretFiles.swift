// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// What secrets hold, read when a process needs it and kept nowhere but in that process and its folder.
enum SecretFiles {
    /// A variable that holds a secret, and the file that the secret is in.
    struct Variable: Equatable {
        var name: String
        var file: String
    }

    static func variables(of spec: ServiceSpec) -> [Variable] {
        spec.secrets.flatMap { secret in secret.variables.map { Variable(name: $0, file: secret.file) } }
            .sorted { $0.name < $1.name }
    }

    /// `NAME=text`, without the last line break of each file.
    static func entries(of variables: [Variable]) throws(Fault) -> [String] {
        var entries: [String] = []
        for variable in variables {
            var bytes = try read(variable.file)
            if bytes.last == 10 { bytes.removeLast() }
            if bytes.last == 13 { bytes.removeLast() }
            guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
                throw Fault(
                    step: "put into the variable \(variable.name)", subject: variable.file,
                    reason: "it is not text, or holds a NUL",
                    remedy: "let the service have it as a file: secrets: [NAME]")
            }
            entries.append("\(variable.name)=\(text)")
        }
        return entries
    }

    /// All of a secret. Never waits for a writer: a pipe is no secret.
    static func read(_ path: String) throws(Fault) -> [UInt8] {
        let remedy = "correct `secrets` and apply, or let the user whom the daemon runs as read it"
        let bytes: [UInt8]?
        do { bytes = try content(of: path) } catch {
            throw error.fault(step: "read the secret", subject: path, remedy: remedy)
        }
        let flaw = bytes == nil ? "it is not a file" : "it has more than \(SizeText.format(Int64(Limits.secretBytes)))"
        guard let bytes, bytes.count <= Limits.secretBytes else {
            throw Fault(step: "read the secret", subject: path, reason: flaw, remedy: remedy)
        }
        return bytes
    }

    /// One byte more than it may have is enough; nil for what is not a file.
    private static func content(of path: String) throws(SystemError) -> [UInt8]? {
        let file = try SmallFile.open(path, O_RDONLY | O_NONBLOCK)
        var facts = stat()
        guard unsafe fstat(file.number, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return try SmallFile.read(from: file.number, limit: Limits.secretBytes + 1)
    }

    /// The secrets that a launch has as files, in a folder that only its user can look into: 0500, the files 0400.
    static func write(_ secrets: [SecretUse], into folder: String, for account: Account?) throws(Fault) {
        for secret in secrets where !secret.files.isEmpty {
            let bytes = try read(secret.file)
            for name in secret.files {
                do throws(SystemError) {
                    let file = try SmallFile.open(
                        "\(folder)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o400)
                    try SmallFile.write(bytes, to: file.number)
                    if let account { try give(account) { fchown(file.number, $0, $1) } }
                } catch {
                    throw error.fault(step: "write the secret", subject: "\(folder)/\(name)")
                }
            }
        }
        do throws(SystemError) {
            if let account { try give(account) { uid, gid in unsafe chown(folder, uid, gid) } }
            try Syscall.libc("chmod") { unsafe chmod(folder, 0o500) }
        } catch {
            throw error.fault(step: "close to others", subject: folder)
        }
    }

    /// Only root gives files away; for others the account is their own.
    private static func give(_ account: Account, _ change: (UInt32, UInt32) -> Int32) throws(SystemError) {
        guard getuid() == 0 else { return }
        try Syscall.libc("chown") { change(account.uid, account.gid) }
    }

    /// An empty folder of a launch, whatever was there.
    static func makeFolder(_ folder: String) throws(Fault) {
        remove(folder)
        do { try Syscall.libc("mkdir") { unsafe mkdir(folder, 0o700) } } catch {
            throw error.fault(step: "make the directory", subject: folder)
        }
    }

    static func remove(_ folder: String) {
        guard unsafe access(folder, F_OK) == 0 else { return }
        // Its owner may not write to it.
        _ = unsafe chmod(folder, 0o700)
        for name in SmallFile.names(in: folder) { _ = unsafe unlink("\(folder)/\(name)") }
        _ = unsafe rmdir(folder)
    }
}
