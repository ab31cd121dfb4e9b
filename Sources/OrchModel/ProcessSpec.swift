// SPDX-License-Identifier: Apache-2.0

/// What the kernel gives the processes of a service beside their identity, set between clone and exec and inherited by all that they start.
/// Probes and steps run with the same.
public struct ProcessSpec: Equatable, Sendable {
    /// Supplementary groups beside those that the user database gives the user: names or numbers. setgroups(2)
    public var groupAdd: [String] = []
    /// umask(2): 0 to 0o777.
    public var umask = ProcessSpec.standardMask
    /// setpriority(2): -20 (first) to 19; nil is the daemon's own.
    public var nice: Int?
    /// ioprio_set(2); nil is the daemon's own.
    public var ioClass: IOClass?
    /// sched_setaffinity(2): numbers of CPUs, ascending, each once; empty is all that the daemon may use.
    public var cpuAffinity: [Int] = []
    /// setrlimit(2): in the order of `Ulimit.Resource`, each once.
    public var ulimits: [Ulimit] = []
    /// PR_SET_NO_NEW_PRIVS (prctl(2)): nothing that it executes gains privileges, setuid programs included.
    public var noNewPrivileges = false
    /// The only ones it and whatever it executes can have, in the order of `Capability`, each once; nil leaves them as they are. capabilities(7)
    public var capabilities: [Capability]?
    /// Absolute paths, ascending, each once: it can't write to them nor to what is mounted below (mount_setattr(2), 5.12).
    public var readOnly: [String] = []
    /// A `/tmp` and a `/var/tmp` of each launch's own, in memory, which are gone with its last process. mount_namespaces(7)
    public var hasPrivateTmp = false
    /// It sees mounts that others don't.
    public var hasOwnMounts: Bool { hasPrivateTmp || !readOnly.isEmpty }
    /// A pseudo-terminal (pty(7)) is the three standard descriptors of the service itself and controls its session. Probes and steps have none.
    public var hasTerminal = false
    /// What the service itself reads; nil is `/dev/null`, or the terminal.
    public var input: Input?
    public init() {}

    public enum Input: Equatable, Sendable {
        /// A pipe that never comes to its end: `orch attach` and `stdin` steps write to it.
        case open
        /// Absolute; opened at each start, as the service's user.
        case file(String)
    }

    public static let standardMask: UInt32 = 0o022
}

/// When its reads and writes come to the disk, where the disk's scheduler knows priorities.
public struct IOClass: Equatable, Sendable {
    public enum Name: String, Sendable, CaseIterable { case realtime, bestEffort = "best-effort", idle }
    public var name: Name
    /// 0 (first) to 7; `idle` has none.
    public var level: Int
    public init(_ name: Name, level: Int = IOClass.standardLevel) {
        self.name = name
        self.level = name == .idle ? 0 : level
    }

    /// What the kernel takes for one that is not given.
    public static let standardLevel = 4

    /// `idle`, `best-effort`, `realtime:0`.
    public var text: String {
        name == .idle || level == Self.standardLevel ? name.rawValue : "\(name.rawValue):\(level)"
    }

    public init?(text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = Name(rawValue: String(parts[0])) else { return nil }
        self.init(name)
        guard parts.count > 1 else { return }
        guard name != .idle, let level = Int(parts[1]), (0...7).contains(level) else { return nil }
        self.level = level
    }

    /// As ioprio_set(2) takes it: class << 13 | level.
    public var number: Int32 {
        let kind: Int32 =
            switch name {
            case .realtime: 1
            case .bestEffort: 2
            case .idle: 3
            }
        return kind << 13 | Int32(level)
    }
}

/// One limit of each process of a service.
public struct Ulimit: Equatable, Sendable {
    /// In the order of the kernel's numbers, from 0 up (asm-generic/resource.h).
    public enum Resource: String, Sendable, CaseIterable {
        case cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, `as`, locks, sigpending, msgqueue, nice,
            rtprio, rttime

        /// Whether it is a number of bytes, which may be written as a size.
        public var isBytes: Bool {
            switch self {
            case .fsize, .data, .stack, .core, .rss, .memlock, .as, .msgqueue: true
            case .cpu, .nproc, .nofile, .locks, .sigpending, .nice, .rtprio, .rttime: false
            }
        }
    }
    public var resource: Resource
    /// Nil is unlimited.
    public var soft: Int64?
    /// At least `soft`; nil is unlimited.
    public var hard: Int64?
    public init(_ resource: Resource, soft: Int64?, hard: Int64?) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// A privilege of its own, in the order of the kernel's numbers, from 0 up (linux/capability.h, 5.9).
public enum Capability: String, Sendable, CaseIterable {
    case chown = "CAP_CHOWN", dacOverride = "CAP_DAC_OVERRIDE", dacReadSearch = "CAP_DAC_READ_SEARCH"
    case fowner = "CAP_FOWNER", fsetid = "CAP_FSETID", kill = "CAP_KILL", setgid = "CAP_SETGID", setuid = "CAP_SETUID"
    case setpcap = "CAP_SETPCAP", linuxImmutable = "CAP_LINUX_IMMUTABLE", netBindService = "CAP_NET_BIND_SERVICE"
    case netBroadcast = "CAP_NET_BROADCAST", netAdmin = "CAP_NET_ADMIN", netRaw = "CAP_NET_RAW", ipcLock =
        "CAP_IPC_LOCK"
    case ipcOwner = "CAP_IPC_OWNER", sysModule = "CAP_SYS_MODULE", sysRawio = "CAP_SYS_RAWIO", sysChroot =
        "CAP_SYS_CHROOT"
    case sysPtrace = "CAP_SYS_PTRACE", sysPacct = "CAP_SYS_PACCT", sysAdmin = "CAP_SYS_ADMIN", sysBoot = "CAP_SYS_BOOT"
    case sysNice = "CAP_SYS_NICE", sysResource = "CAP_SYS_RESOURCE", sysTime = "CAP_SYS_TIME"
    case sysTtyConfig = "CAP_SYS_TTY_CONFIG", mknod = "CAP_MKNOD", lease = "CAP_LEASE", auditWrite = "CAP_AUDIT_WRITE"
    case auditControl = "CAP_AUDIT_CONTROL", setfcap = "CAP_SETFCAP", macOverride = "CAP_MAC_OVERRIDE"
    case macAdmin = "CAP_MAC_ADMIN", syslog = "CAP_SYSLOG", wakeAlarm = "CAP_WAKE_ALARM"
    case blockSuspend = "CAP_BLOCK_SUSPEND", auditRead = "CAP_AUDIT_READ", perfmon = "CAP_PERFMON", bpf = "CAP_BPF"
    case checkpointRestore = "CAP_CHECKPOINT_RESTORE"

    /// With or without `CAP_`, in either case: `net_bind_service`.
    public init?(text: String) {
        let upper = text.uppercased()
        self.init(rawValue: upper.hasPrefix("CAP_") ? upper : "CAP_\(upper)")
    }
}
