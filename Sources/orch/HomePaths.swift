// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Where orch keeps its things: `ORCH_HOME` decides alone; without it root has the system's folders and others the XDG ones.
struct HomePaths {
    /// What outlives a boot.
    var state: String
    /// What dies with one.
    var run: String

    var socket: String { "\(run)/orch.sock" }
    var lock: String { "\(state)/lock" }
    var log: String { "\(state)/orchd.log" }

    /// https://specifications.freedesktop.org/basedir-spec/latest/: relative paths there are to be ignored.
    init(environment: [EnvironmentEntry], user: UInt32, workingDirectory: String) {
        func path(_ name: String) -> String? {
            environment.last { $0.name == name && $0.text.hasPrefix("/") }.map { Self.withoutTrailingSlash($0.text) }
        }
        if let home = environment.last(where: { $0.name == "ORCH_HOME" && !$0.text.isEmpty })?.text {
            let absolute = Self.withoutTrailingSlash(home.hasPrefix("/") ? home : "\(workingDirectory)/\(home)")
            state = "\(absolute)/state"
            run = "\(absolute)/run"
            return
        }
        if user == 0 {
            state = "/var/lib/orch"
            run = "/run/orch"
            return
        }
        let states = path("XDG_STATE_HOME") ?? path("HOME").map { "\($0)/.local/state" } ?? "/tmp/orch-\(user)-state"
        state = "\(states)/orch"
        let usual = "/run/user/\(user)"
        if let runtime = path("XDG_RUNTIME_DIR") {
            run = "\(runtime)/orch"
        } else if unsafe access(usual, W_OK | X_OK) == 0 {
            run = "\(usual)/orch"
        } else {
            run = "/tmp/orch-\(user)"
        }
    }

    private static func withoutTrailingSlash(_ path: String) -> String {
        var result = path
        while result.count > 1, result.hasSuffix("/") { result.removeLast() }
        return result
    }

    /// Makes the folder with what is missing above it, for its owner alone, and refuses one that others could have put there.
    static func prepare(_ path: String) throws(Fault) {
        var parent = ""
        for name in path.split(separator: "/").dropLast() {
            parent += "/\(name)"
            _ = unsafe mkdir(parent, 0o755)
        }
        let remedy = "set ORCH_HOME to a folder of yours"
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
            throw Fault(step: "make the folder", subject: path, reason: Errno.text(errno), remedy: remedy)
        }
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else {
            throw Fault(step: "use", subject: path, reason: Errno.text(errno), remedy: remedy)
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            throw Fault(
                step: "use", subject: path, reason: "it is not a folder (symbolic links are refused)",
                remedy: "move it away")
        }
        guard facts.st_uid == geteuid() else {
            throw Fault(step: "use", subject: path, reason: "it belongs to user \(facts.st_uid)", remedy: remedy)
        }
        // Root's run folder may be passed through: services of other users reach their notify socket by it.
        guard facts.st_mode & 0o066 != 0 else { return }
        guard unsafe chmod(path, 0o700) == 0 else {
            throw Fault(step: "close to others", subject: path, reason: Errno.text(errno), remedy: remedy)
        }
    }
}

/// What the kernel refused, in words with its symbol where a reader looks for it.
enum Errno {
    static func text(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        let sentence = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let lowered = sentence.prefix(1).lowercased() + sentence.dropFirst()
        return symbol(code).map { "\(lowered) (\($0))" } ?? lowered
    }

    private static func symbol(_ code: Int32) -> String? {
        switch code {
        case ENOENT: "ENOENT"
        case EACCES: "EACCES"
        case EPERM: "EPERM"
        case ENOTDIR: "ENOTDIR"
        case EISDIR: "EISDIR"
        case ECONNREFUSED: "ECONNREFUSED"
        case EMFILE: "EMFILE"
        case ENOSPC: "ENOSPC"
        case EROFS: "EROFS"
        case ELOOP: "ELOOP"
        case ENAMETOOLONG: "ENAMETOOLONG"
        default: nil
        }
    }
}
