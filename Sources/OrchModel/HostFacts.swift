// SPDX-License-Identifier: Apache-2.0

/// What a host has and what it lacks, as it was found; `orch doctor` judges it.
public struct HostFacts: Equatable, Sendable {
    /// uname(2): `6.18.5`.
    public var kernel = ""
    /// Calls that orch makes and the kernel, or a filter, refuses; in the order of `KernelCall`.
    public var missingCalls: [KernelCall] = []
    /// The effective user's name, or number.
    public var user = ""
    /// May raise hard limits (CAP_SYS_RESOURCE).
    public var mayRaiseLimits = false
    /// May take ports below `lowestFreePort` (CAP_NET_BIND_SERVICE).
    public var mayTakeLowPorts = false
    /// net.ipv4.ip_unprivileged_port_start.
    public var lowestFreePort = 1024
    public var groups = ControlGroupFacts()
    /// The limits that services begin with, in the order of `Ulimit.Resource`: the daemon's own.
    public var limits: [Ulimit] = []
    /// fs.nr_open: nobody can have more descriptors in one process.
    public var mostDescriptors: Int64?
    /// The closest of the bounds on processes and threads.
    public var processes: Room?
    /// Why no inotify(7) instance or watch can be had; nil: they can.
    public var inotifyObstacle: Fault?
    /// fs.inotify.max_user_instances and max_user_watches.
    public var inotifyInstances: Int64?
    public var inotifyWatches: Int64?
    /// This host has time zones (tzfile(5)).
    public var hasTimeZones = true
    /// A control socket that nobody listens at.
    public var staleSocket: String?
    public init() {}
}

/// System calls that orch can't do without, or does less well.
public enum KernelCall: String, Sendable, CaseIterable {
    case pidfdOpen = "pidfd_open"
    case closeRange = "close_range"
    case clone3
    /// The first kernel that has it, by its manual page.
    public var since: String {
        switch self {
        case .pidfdOpen, .clone3: "5.3"
        case .closeRange: "5.9"
        }
    }
}

/// How far control groups (cgroups(7)) can be used.
public struct ControlGroupFacts: Equatable, Sendable {
    /// Where the version 2 hierarchy is mounted; nil: nowhere.
    public var mount: String?
    /// Version 1 is mounted too, and has the controllers that version 2 lacks.
    public var hasVersion1 = false
    /// The group below which launches get theirs, as a folder.
    public var group: String?
    /// Why no groups can be made below it; nil: they can.
    public var obstacle: String?
    /// `memory`, `pids`: those that this group may hand on (cgroup.controllers).
    public var controllers: [String] = []
    /// Those of `memory`, `cpu` and `pids` that groups of launches have, or get when a service has limits.
    public var limits: [String] = []
    /// Why they can't have the others.
    public var limitObstacle: String?
    /// `ORCH_TRACKING=session` says not to use them.
    public var isRefused = false
    public init() {}
}

/// How much of something is taken.
public struct Room: Equatable, Sendable {
    public var used: Int64
    public var limit: Int64
    /// Where the limit is set: `RLIMIT_NPROC`, `kernel.pid_max`, `/sys/fs/cgroup/…/pids.max`.
    public var setBy: String
    public init(used: Int64, limit: Int64, setBy: String) {
        self.used = used
        self.limit = limit
        self.setBy = setBy
    }
    public var left: Int64 { max(0, limit - used) }
}

/// Whom a process runs as.
public struct Person: Hashable, Sendable {
    public var name: String
    public var uid: UInt32
    public var gid: UInt32
    /// Supplementary.
    public var groups: [UInt32]
    public init(name: String, uid: UInt32, gid: UInt32, groups: [UInt32]) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.groups = groups
    }
}

/// What somebody wants of a path.
public enum PathUse: String, Sendable, CaseIterable {
    /// To stand in a folder.
    case enter
    /// To execute a file.
    case execute
    case read
    /// To write to a regular file, or to make it with the folders above it.
    case write
    /// To have a folder for oneself: real, one's own, or to be made.
    case own
}

/// Why a path can't be used.
public struct PathObstacle: Equatable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case missing
        /// Permission.
        case denied
        /// Permission to pass a folder above it: whether it is there can't be seen.
        case closed
        /// Of another kind: a folder for a file, a symbolic link where none is followed.
        case shape
        /// Its file system did not answer in time.
        case silent
        case other
    }
    public var kind: Kind
    /// In words, with the system's own symbol where there is one.
    public var reason: String
    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

/// A mounted file system.
public struct FileSystemFacts: Equatable, Sendable {
    /// As the kernel names it: `ext4`, `nfs4`, `fuse.sshfs`.
    public var kind: String
    /// False: it was asked, and did not answer in time. Then the rest is not known.
    public var answers = true
    public var isReadOnly = false
    /// Bytes, for the effective user.
    public var space: Room?
    /// Inodes; nil where there is no bound.
    public var files: Room?
    public init(kind: String) { self.kind = kind }
}

/// That a port can't be had.
public struct PortObstacle: Equatable, Sendable {
    public var fault: Fault
    /// The service of this daemon that has it.
    public var holder: ServiceID?
    public init(_ fault: Fault, holder: ServiceID? = nil) {
        self.fault = fault
        self.holder = holder
    }
}

/// Looks at this host and changes nothing. What might never answer is given up after a moment.
public protocol HostExaminer: AnyObject {
    /// The effective user's name, or number.
    var user: String { get }
    /// `daemon`: the process whose limits and control group count; nil: this one's.
    func facts(daemon: Int32?) -> HostFacts
    /// Whom a service runs as, by `user` and `group_add`; nil for the effective user as it is.
    func person(_ user: String?, adding groups: [String]) throws(Fault) -> Person?
    /// Why `person` (nil: the effective user) can't use an absolute path like that; nil when nothing stands in the way.
    func obstacle(to use: PathUse, of path: String, as person: Person?) -> PathObstacle?
    /// What the first line of a script names as its interpreter; nil for what is none.
    func interpreter(of path: String) -> String?
    /// The file system that a file of that absolute path is on, or would be; nil when it can't be told.
    func fileSystem(of path: String) -> FileSystemFacts?
    /// What the process table says of a process; nil when it is gone, or hidden from this user.
    func process(_ mark: ProcessMark) -> ProcessFacts?
    /// Why a port can't be had now; nil when it is free.
    func obstacle(to port: PortSpec) -> PortObstacle?
    /// What keeps a socket from being opened there; nil when nothing does.
    func obstacle(to address: SocketSpec.Address) -> PortObstacle?
    /// The listening sockets that these processes have open, and those that the daemon has opened for services.
    func listeners(of processes: [ProcessMark]) -> [ListenerFacts]
}
