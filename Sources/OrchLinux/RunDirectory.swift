// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchModel

/// What dies with a boot: the control socket, the notify socket, the launch ledger and what each launch was started with.
public struct RunDirectory: Sendable {
    /// Absolute.
    public let path: String
    /// Tells this daemon's groups and processes from another's: twelve digits of the path's digest.
    public let mark: String

    public var notifySocket: String { "\(path)/notify" }
    public var ledger: String { "\(path)/launches.log" }
    var launches: String { "\(path)/launches" }
    /// A folder for each launch that has secrets as files.
    var secrets: String { "\(path)/secrets" }
    func secrets(of launch: LaunchID) -> String { "\(secrets)/\(launch.number)" }
    /// A file for each launch that is ready by a newline on a descriptor.
    var readiness: String { "\(path)/readiness" }
    /// A file for each socket that the keeper holds for a service, by its number there.
    var sockets: String { "\(path)/sockets" }
    /// Where `orch attach` connects, while there is something to attach to.
    public var attachSocket: String { "\(path)/attach" }
    /// The same for each descriptor that an instance has handed over.
    var stored: String { "\(path)/stored" }
    /// Names the keeper that is known to hold everything that lives.
    var keeper: String { "\(path)/keeper" }

    /// Makes and checks the directory: a real one (no symbolic link), the user's own, closed to others. For root it can be
    /// passed through (0711), because services of other users must reach the notify socket; what is in it stays closed.
    public init(_ path: String) throws(Fault) {
        self.path = path
        mark = Self.mark(of: path)
        try Self.prepare(path, mode: getuid() == 0 ? 0o711 : 0o700)
        try Self.prepare(launches, mode: 0o700)
        try Self.prepare(readiness, mode: 0o700)
        try Self.prepare(sockets, mode: 0o700)
        try Self.prepare(stored, mode: 0o700)
        try Self.prepare(secrets, mode: getuid() == 0 ? 0o711 : 0o700)
    }

    /// Where the keeper of that directory shall bind the notify socket.
    public static func notifyAddress(of path: String) -> String {
        NotifySocket.address("\(path)/notify", mark(of: path))
    }

    static func mark(of path: String) -> String { String(Digest(of: Array(path.utf8)).hex.prefix(12)) }

    /// Makes `path` with what is missing above it, and refuses what others could have put there.
    public static func prepare(_ path: String, mode: UInt32 = 0o700) throws(Fault) {
        guard path.hasPrefix("/") else {
            throw Fault(
                step: "use", subject: path, reason: "it is not an absolute path",
                remedy: "set ORCH_HOME to an absolute path")
        }
        var parent = ""
        for name in path.split(separator: "/").dropLast() {
            parent += "/" + name
            _ = unsafe mkdir(parent, 0o755)
        }
        if unsafe mkdir(path, mode) != 0, errno != EEXIST {
            throw Fault(
                step: "make the directory", subject: path, reason: Reason.text(errno),
                remedy: "set ORCH_HOME to a directory of yours")
        }
        var facts = stat()
        guard unsafe lstat(path, &facts) == 0 else {
            throw Fault(step: "use", subject: path, reason: Reason.text(errno))
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            throw Fault(
                step: "use", subject: path, reason: "it is not a directory (symbolic links are refused)",
                remedy: "move it away")
        }
        guard facts.st_uid == getuid() else {
            throw Fault(
                step: "use", subject: path, reason: "it belongs to \(Account.nameOf(facts.st_uid))",
                remedy: "set ORCH_HOME to a directory of yours")
        }
        guard facts.st_mode & 0o7777 != mode else { return }
        guard unsafe chmod(path, mode) == 0 else {
            throw Fault(step: "close to others", subject: path, reason: Reason.text(errno))
        }
    }
}
