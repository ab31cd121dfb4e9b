// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel
internal import OrchWire

/// What a launch was started with, as far as later questions need it: probes and steps run in the same surroundings. Kept in the run
/// directory, written before the process exists, so that the next daemon answers the same.
struct LaunchContext: Equatable {
    /// What the keeper holds the read end of.
    enum Pipe: String { case stdout, stderr, both }

    var instance: InstanceID
    var label: String
    var program: String
    var directory: String
    /// As the manifest says it.
    var user: String?
    var process = ProcessSpec()
    var fileLimit: UInt64?
    var ports: [AssignedPort]
    var pipes: [Pipe]
    /// Theirs, by which their ends are found again in the processes that write to them; empty when not known.
    var pipeInodes: [UInt64]
    /// How it says that it is ready, as far as somebody has to look for it.
    var ready: ReadySpec?
    var environment: LaunchEnvironment
    /// Variables that hold secrets, and where those are; what they hold is never here.
    var secrets: [SecretFiles.Variable] = []

    /// NUL-separated fields, as none of them can hold one; the environment comes last. Version 2 has `process` before it, version 3 also
    /// `secrets`, after their number. Each is written only where there is something to say: daemons that came before can read version 1.
    var encoded: [UInt8] {
        let isPlain = process == ProcessSpec()
        var fields = [
            secrets.isEmpty ? (isPlain ? "1" : "2") : "3", instance.service.stack, instance.service.service,
            "\(instance.replica)", label,
            program, directory,
            user ?? "",
            fileLimit.map { "\($0)" } ?? "",
            pipes.enumerated().map { "\($1.rawValue):\($0 < pipeInodes.count ? pipeInodes[$0] : 0)\(readyText)" }
                .joined(
                    separator: ","),
            ports.map { "\($0.transport.rawValue) \($0.port) \($0.name ?? "")" }.joined(separator: ","),
        ]
        if !isPlain || !secrets.isEmpty { fields.append(JSON.text(of: process.value)) }
        if !secrets.isEmpty { fields += ["\(secrets.count)"] + secrets.flatMap { [$0.name, $0.file] } }
        var bytes = Array(fields.joined(separator: "\0").utf8)
        environment.encode(to: &bytes)
        return bytes
    }

    /// Nil for anything that `encoded` did not write.
    init?(encoded bytes: [UInt8]) {
        let known = bytes.starts(with: [UInt8(ascii: "1"), 0]) ? 11 : 12
        // The environment is most of it.
        let pieces = bytes.split(separator: 0, maxSplits: known, omittingEmptySubsequences: false)
        let fields = pieces.prefix(known).map { String(decoding: $0, as: UTF8.self) }
        guard fields.count == known, ["1", "2", "3"].contains(fields[0]), let replica = Int(fields[3]) else {
            return nil
        }
        instance = InstanceID(service: ServiceID(stack: fields[1], service: fields[2]), replica: replica)
        label = fields[4]
        program = fields[5]
        directory = fields[6]
        user = fields[7].isEmpty ? nil : fields[7]
        fileLimit = UInt64(fields[8])
        let ends = fields[9].split(separator: ",").map { $0.split(separator: ":") }
        pipes = ends.compactMap { $0.first.flatMap { Pipe(rawValue: String($0)) } }
        pipeInodes = ends.map { $0.count > 1 ? UInt64($0[1]) ?? 0 : 0 }
        ready = ends.first.flatMap { $0.count > 2 ? Self.ready(hex: $0[2]) : nil }
        ports = fields[10].split(separator: ",").compactMap { Self.port($0) }
        if known > 11 {
            guard let value = try? JSON.parse(fields[11]), let found = try? ProcessSpec(value) else { return nil }
            process = found
        }
        guard fields[0] == "3" else {
            environment = pieces.count > known ? LaunchEnvironment(packed: Array(pieces[known])) : LaunchEnvironment([])
            return
        }
        guard pieces.count > known else { return nil }
        var rest = Text.pieces(pieces[known], separatedBy: 0)[...]
        guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0, count <= rest.count / 2 else { return nil }
        let words = Array(rest)
        secrets = (0..<count).map { .init(name: words[2 * $0], file: words[2 * $0 + 1]) }
        environment = LaunchEnvironment(Array(words[(2 * count)...]))
    }

    init(instance: InstanceID, label: String, program: String, directory: String, environment: LaunchEnvironment) {
        self.instance = instance
        self.label = label
        self.program = program
        self.directory = directory
        self.environment = environment
        ports = []
        pipes = []
        pipeInodes = []
    }

    private static func port(_ text: Substring) -> AssignedPort? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, let transport = PortSpec.Transport(rawValue: String(words[0])), let port = Int(words[1])
        else { return nil }
        return AssignedPort(name: words[2].isEmpty ? nil : String(words[2]), port: port, transport: transport)
    }

    /// The pattern of a line that is awaited, behind its pipe, where a daemon that knows nothing of it does not look.
    private var readyText: String {
        guard case .log(let pattern) = ready else { return "" }
        return ":" + pattern.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func ready(hex: Substring) -> ReadySpec? {
        let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        return bytes.isEmpty ? nil : .log(String(decoding: bytes, as: UTF8.self))
    }

    // MARK: On disk

    /// Nil when there is none. One that is there and can't be read must not be taken for none: its service would be a stranger's.
    static func load(_ launch: LaunchID, from directory: String) throws(Fault) -> LaunchContext? {
        let path = "\(directory)/\(launch.number)"
        do { return LaunchContext(encoded: try SmallFile.record(path, limit: 4 << 20)) } catch {
            if error.code == ENOENT { return nil }
            throw error.fault(step: "read what was noted of a launch in", subject: path)
        }
    }

    func save(_ launch: LaunchID, in directory: String) throws(SystemError) {
        let file = try SmallFile.open("\(directory)/\(launch.number)", O_WRONLY | O_CREAT | O_TRUNC)
        try SmallFile.write(encoded, to: file.number)
    }

    /// In place of the one that is there, whole at every instant: the launch lives, and without its context it would be a stranger's.
    func replace(_ launch: LaunchID, in directory: String) throws(SystemError) {
        let path = "\(directory)/\(launch.number)"
        let file = try SmallFile.open("\(path).new", O_WRONLY | O_CREAT | O_TRUNC)
        try SmallFile.write(encoded, to: file.number)
        try Syscall.libc("rename") { unsafe rename("\(path).new", path) }
    }

    static func remove(_ launch: LaunchID, from directory: String) {
        _ = unsafe unlink("\(directory)/\(launch.number)")
    }
}
