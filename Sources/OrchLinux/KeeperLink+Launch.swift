// SPDX-License-Identifier: Apache-2.0
internal import COrch

extension KeeperLink {
    /// One process to be born, in the kernel's own terms. Identifiers come from the user database beforehand:
    /// the keeper looks nothing up.
    public struct Launch: Sendable {
        /// From 1 up, always higher than the one before; for one process, for ever.
        public var identifier: UInt64
        /// `arguments[0]` is the program: with a slash as it is, otherwise searched in `searchPath`.
        public var arguments: [String]
        /// `NAME=value`, the whole environment.
        public var environment: [String] = []
        /// Nil is `/`. Entered after privileges are dropped.
        public var workingDirectory: String?
        /// Directories, in order, as in `PATH`.
        public var searchPath: [String] = []
        /// Nil keeps the keeper's.
        public var user: UInt32?
        /// Nil keeps the keeper's.
        public var group: UInt32?
        /// Supplementary groups; nil keeps the keeper's, empty means none.
        public var groups: [UInt32]?
        /// `umask(2)`, 0 to 0o7777; nil keeps the keeper's.
        public var fileModeMask: UInt32?
        /// -20 to 19.
        public var nice: Int32?
        /// `ioprio_set(2)`: class << 13 | data.
        public var ioPriority: Int32?
        /// -1000 to 1000; nil is what the keeper itself was started with.
        public var oomScoreAdjust: Int32?
        /// `prlimit(2)`; at most 16. Without `RLIMIT_NOFILE` its soft limit is 1024.
        public var limits: [Limit] = []
        /// `PR_SET_NO_NEW_PRIVS`.
        public var noNewPrivileges = false
        /// `sched_setaffinity(2)`: CPUs, each below `SPAWN_CPUS_MAX`; empty keeps the keeper's.
        public var cpus: [Int] = []
        /// The only capabilities it can ever have, by the kernel's numbers; nil keeps the keeper's.
        public var capabilities: [Int]?

        /// Standard input, which is a terminal then, controls its session: `TIOCSCTTY`, ioctl_tty(2).
        public var hasTerminal = false
        /// Absolute: they are mounted so that it can't write there.
        public var readOnly: [String] = []
        /// A `/tmp` and a `/var/tmp` of its own.
        public var hasPrivateTmp = false
        /// The pidfd of a process whose mounts it is to see, among `extraDescriptors` as `besideNumber`; -1: nobody's.
        public var beside: Int32 = -1
        /// Read instead of `standardInput`: opened from `workingDirectory`, as whoever it is to be.
        public var inputFile: String?

        /// Descriptors are borrowed for the call: the caller may close them when `spawn` returns. Nil is `/dev/null`.
        public var standardInput: Int32?
        /// Nil is `/dev/null`.
        public var standardOutput: Int32?
        /// Nil is the same as standard output.
        public var standardError: Int32?
        /// At most 12 more, at the numbers 3 to 63.
        public var extraDescriptors: [(number: Int32, descriptor: Int32)] = []
        /// Names of the sockets among them, which are at 3 and up: told as sd_listen_fds(3) has it, to this very process alone.
        public var socketNames: [String] = []
        /// Its own pid is told to it, too, as sd_watchdog_enabled(3) has it.
        public var isWatched = false
        /// At most two read ends, kept by the keeper so that a pipe survives the daemon.
        public var heldReadEnds: [Int32] = []
        /// A directory of a cgroup v2 hierarchy to be born in.
        public var controlGroup: Int32?

        public init(identifier: UInt64, arguments: [String]) {
            self.identifier = identifier
            self.arguments = arguments
        }
    }

    /// One `prlimit(2)`: `RLIMIT_*`, and `UInt64.max` for no limit.
    public struct Limit: Hashable, Sendable {
        public var resource: UInt32
        public var soft: UInt64
        public var hard: UInt64

        public init(resource: UInt32, soft: UInt64, hard: UInt64) {
            self.resource = resource
            self.soft = soft
            self.hard = hard
        }
    }
}

extension KeeperLink.Launch {
    /// The flat block of spawn_spec.h; nil when a string holds NUL or a count is over its limit.
    func encoded() -> [UInt8]? {
        guard !arguments.isEmpty, limits.count <= Int(SPAWN_LIMITS_MAX) else { return nil }
        guard (groups?.count ?? 0) <= Int(SPAWN_GROUPS_MAX) else { return nil }
        let environment = environment + ownEntries
        var block = SpecBlock()
        var spec = header()
        spec.argc = UInt32(arguments.count)
        spec.envc = UInt32(environment.count)
        spec.searchc = UInt32(searchPath.count)
        spec.argv = block.reserve(entries: arguments.count)
        spec.envp = block.reserve(entries: environment.count)
        spec.search = block.reserve(entries: searchPath.count)
        let readOnly = block.reserve(entries: readOnly.count)
        spec.confinement = block.append(confinement(readOnly: readOnly))
        if let groups {
            spec.groupc = UInt32(groups.count)
            spec.groups = block.append(groups)
        }
        block.append(arguments, at: spec.argv)
        block.append(environment, at: spec.envp)
        block.append(searchPath, at: spec.search)
        if let workingDirectory { spec.cwd = block.append(workingDirectory) }
        block.append(self.readOnly, at: readOnly)
        if let inputFile { block.append([inputFile], at: spec.confinement + Self.inputOffset) }
        return block.finish(spec)
    }

    /// What only this very process is meant by; the last ones are SPAWN_WATCHDOG_PID's and SPAWN_LISTEN_PID's.
    private var ownEntries: [String] {
        let watchdog = isWatched ? ["WATCHDOG_PID=0000000000"] : []
        guard !socketNames.isEmpty else { return watchdog }
        return [
            "LISTEN_FDS=\(socketNames.count)", "LISTEN_FDNAMES=\(socketNames.joined(separator: ":"))",
        ] + watchdog + ["LISTEN_PID=0000000000"]
    }

    private func header() -> spawn_spec {
        var spec = spawn_spec()
        spec.version = UInt32(SPAWN_SPEC_VERSION)
        set(&spec.flags, SPAWN_SET_UID, user, &spec.uid)
        set(&spec.flags, SPAWN_SET_GID, group, &spec.gid)
        set(&spec.flags, SPAWN_SET_UMASK, fileModeMask, &spec.umask)
        set(&spec.flags, SPAWN_SET_NICE, nice, &spec.nice)
        set(&spec.flags, SPAWN_SET_IOPRIO, ioPriority, &spec.ioprio)
        set(&spec.flags, SPAWN_SET_OOM, oomScoreAdjust, &spec.oom_score_adj)
        if groups != nil { spec.flags |= SPAWN_SET_GROUPS }
        if noNewPrivileges { spec.flags |= SPAWN_NO_NEW_PRIVS }
        if !cpus.isEmpty { spec.flags |= SPAWN_SET_AFFINITY }
        if !socketNames.isEmpty { spec.flags |= SPAWN_LISTEN_PID }
        if isWatched { spec.flags |= SPAWN_WATCHDOG_PID }
        if capabilities != nil { spec.flags |= SPAWN_SET_CAPABILITIES }
        if hasTerminal { spec.flags |= SPAWN_TERMINAL }
        if inputFile != nil { spec.flags |= SPAWN_SET_INPUT }
        if hasPrivateTmp { spec.flags |= SPAWN_PRIVATE_TMP }
        if !readOnly.isEmpty { spec.flags |= SPAWN_READ_ONLY }
        if beside >= 0 { spec.flags |= SPAWN_JOIN }
        spec.limitc = UInt32(limits.count)
        unsafe withUnsafeMutableBytes(of: &spec.limits) { bytes in
            for (index, limit) in limits.enumerated() {
                let one = spawn_limit(resource: limit.resource, reserved: 0, soft: limit.soft, hard: limit.hard)
                unsafe bytes.storeBytes(
                    of: one, toByteOffset: index * MemoryLayout<spawn_limit>.stride, as: spawn_limit.self)
            }
        }
        return spec
    }

    private static let cpuWords = Int(SPAWN_CPUS_MAX) / 64
    /// Of `spawn_confinement.input`.
    private static let inputOffset = UInt32(8 * (cpuWords + 1))

    /// The descriptor that `beside` becomes.
    static let besideNumber: Int32 = 3

    /// As `spawn_confinement` has it: the CPUs' words, the capabilities, the place of the input, whose mounts, and which are not written to.
    private func confinement(readOnly place: UInt32) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: Self.cpuWords + 4)
        for cpu in cpus where cpu < Int(SPAWN_CPUS_MAX) { words[cpu / 64] |= 1 << UInt64(cpu % 64) }
        for number in capabilities ?? [] { words[Self.cpuWords] |= 1 << UInt64(number) }
        words[Self.cpuWords + 2] = UInt64(Self.besideNumber) | UInt64(readOnly.count) << 32
        words[Self.cpuWords + 3] = UInt64(place)
        return words
    }

    private func set<Field>(_ flags: inout UInt32, _ flag: UInt32, _ value: Field?, _ field: inout Field) {
        guard let value else { return }
        flags |= flag
        field = value
    }
}

/// The bytes behind the fixed head of a spec: arrays of offsets first, strings after them.
private struct SpecBlock {
    private var bytes = [UInt8](repeating: 0, count: MemoryLayout<spawn_spec>.size)
    private var isSound = true

    /// Room for `entries` offsets and the NULL behind them. Must come before anything unaligned.
    mutating func reserve(entries: Int) -> UInt32 {
        let offset = UInt32(bytes.count)
        bytes.append(contentsOf: repeatElement(0, count: (entries + 1) * 8))
        return offset
    }

    /// Aligned as the first entry of the block is, when what came before was.
    mutating func append<Word: FixedWidthInteger>(_ words: [Word]) -> UInt32 {
        let offset = UInt32(bytes.count)
        for word in words { unsafe withUnsafeBytes(of: word) { unsafe bytes.append(contentsOf: $0) } }
        return offset
    }

    mutating func append(_ text: String) -> UInt32 {
        let offset = UInt32(bytes.count)
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
        isSound = isSound && !text.utf8.contains(0)
        return offset
    }

    mutating func append(_ texts: [String], at array: UInt32) {
        for (index, text) in texts.enumerated() {
            let offset = UInt64(append(text))
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe buffer.storeBytes(of: offset, toByteOffset: Int(array) + index * 8, as: UInt64.self)
            }
        }
    }

    consuming func finish(_ head: spawn_spec) -> [UInt8]? {
        guard isSound, bytes.count < Int(KEEPER_SPEC_MAX) else { return nil }
        var head = head
        bytes.append(0)
        head.length = UInt32(bytes.count)
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: head, as: spawn_spec.self) }
        return bytes
    }
}
