// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The kernel, control groups, limits and disks of this host.
struct HostFindings {
    var facts: HostFacts
    /// Instances that live, and those of them that are held by session.
    var living = 0
    var heldBySession = 0
    /// How many instances there are or will be.
    var instances = 0
    /// Some of them have `resources`.
    var hasLimits = false
    /// How many sockets are opened for them.
    var sockets = 0

    func findings() -> [Finding] {
        [kernel(), controlGroups(), limits()] + descriptors() + [processes(), inotify()].compactMap(\.self)
    }

    // MARK: The kernel

    private func kernel() -> Finding {
        guard !facts.missingCalls.isEmpty else {
            let calls = KernelCall.allCases.map(\.rawValue).joined(separator: ", ")
            return Finding(.ok, "kernel", "Linux \(facts.kernel) has what orch needs: \(calls)")
        }
        let names = facts.missingCalls.map { "\($0.rawValue) (since \($0.since))" }.joined(separator: ", ")
        // Without clone3 a process is made by clone(2) and then enters its group.
        let isFatal = facts.missingCalls != [.clone3]
        return Finding(
            isFatal ? .error : .warning, "kernel", "Linux \(facts.kernel) refuses \(names)",
            because: isFatal
                ? "no process can be made or told from a later one with its number"
                : "processes are made by clone(2), which takes a little longer",
            remedy: "a newer kernel has it; in a container its seccomp filter has to allow it")
    }

    // MARK: Control groups

    private func controlGroups() -> Finding {
        let about = "control groups"
        let groups = facts.groups
        if groups.isRefused {
            return Finding(
                .warning, about, "ORCH_TRACKING=session says not to use them", because: SessionHold.promise,
                remedy: "unset it and `orch daemon restart`")
        }
        if let obstacle = groups.obstacle {
            let place = groups.group.map { "they can't be made below \($0): " } ?? ""
            return Finding(
                .warning, about, place + obstacle, because: SessionHold.promise, remedy: Self.remedy(of: groups))
        }
        if heldBySession > 0 {
            return Finding(
                .warning, about,
                "\(heldBySession) of \(CountText.of(living, "instance")) that run are held without them, though they can be made",
                because: SessionHold.promise,
                remedy:
                    "`orch daemon status` has the daemon's remark on why; what starts after the next `orch daemon restart` gets one"
            )
        }
        let controllers =
            groups.controllers.isEmpty
            ? "no controllers" + (groups.hasVersion1 ? " (version 1 has them)" : "")
            : "controllers \(groups.controllers.joined(separator: ", "))"
        return Finding(
            .ok, about, "version 2, a group for each launch below \(groups.group ?? ""), \(controllers)",
            because: groups.controllers.contains("memory")
                ? nil : "memory and processor time are summed up over the processes of a tree")
    }

    private static func remedy(of groups: ControlGroupFacts) -> String {
        guard groups.mount != nil else {
            return groups.hasVersion1
                ? "boot with systemd.unified_cgroup_hierarchy=1, or mount version 2 beside version 1:"
                    + " `mount -t cgroup2 none /sys/fs/cgroup/unified`"
                : "mount it: `mount -t cgroup2 none /sys/fs/cgroup`; a container needs a cgroup namespace of its own"
        }
        return "start the daemon in a group that is delegated to its user:"
            + " `systemd-run --user --scope -p Delegate=yes orch daemon start`, or Delegate=yes in its unit;"
            + " a container needs a writable /sys/fs/cgroup"
    }

    // MARK: Limits

    /// By whom `resources` are held.
    private func limits() -> Finding {
        let about = "resources"
        let groups = facts.groups
        let named = [("memory", "memory"), ("cpu", "cpus"), ("pids", "pids")]
        let usable = groups.isRefused || groups.obstacle != nil ? [] : groups.limits
        // Of memory the kernel can but end what is beyond.
        let held = named.filter { usable.contains($0.0) }.map {
            $1 == "memory" ? "memory (unless on_exceed is report)" : $1
        }
        let sampled = named.filter { !usable.contains($0.0) }.map(\.1)
        let fact = held.isEmpty ? nil : "the kernel holds limits of \(held.joined(separator: ", ")), by control groups"
        guard !sampled.isEmpty else { return Finding(.ok, about, fact ?? "") }
        let why = groups.obstacle ?? groups.limitObstacle ?? (groups.isRefused ? "ORCH_TRACKING=session" : nil)
        let promise = SampledLimits.promise(sampled)
        return Finding(
            hasLimits ? .warning : .ok, about, fact.map { "\($0); \(promise)" } ?? promise, because: why,
            remedy: hasLimits ? Self.remedyForLimits(groups) : nil)
    }

    private static func remedyForLimits(_ groups: ControlGroupFacts) -> String {
        if groups.hasVersion1, groups.limits.isEmpty {
            return "boot with systemd.unified_cgroup_hierarchy=1: a controller is in one version only"
        }
        return "start the daemon in a group of its own with these controllers: Delegate=yes in its unit,"
            + " or `systemd-run --user --scope -p Delegate=yes orch daemon start`"
    }

    /// A service that runs takes 3 descriptors in the keeper and up to 7 in the daemon.
    static let descriptorsPerInstance = 7
    /// A socket of `sockets` takes one in the daemon and two in the keeper.
    static let descriptorsPerSocket = 2
    /// Control sockets, databases, clients.
    static let ownDescriptors = 64

    private func descriptors() -> [Finding] {
        guard let limit = facts.limits.first(where: { $0.resource == .nofile }) else { return [] }
        guard let hard = limit.hard else { return [Finding(.ok, "descriptors", "unlimited (RLIMIT_NOFILE)")] }
        let others = Self.ownDescriptors + sockets * Self.descriptorsPerSocket
        let room = max(0, (Int(clamping: hard) - others) / Self.descriptorsPerInstance)
        let fact = "\(hard) for the daemon (hard RLIMIT_NOFILE), enough for \(CountText.of(room, "instance"))"
        guard room < instances else { return [Finding(.ok, "descriptors", fact)] }
        return [
            Finding(
                .error, "descriptors", fact + ", and there are \(instances)",
                because: "an instance that runs takes up to \(Self.descriptorsPerInstance) in the daemon",
                remedy:
                    "raise LimitNOFILE of the unit, or `ulimit -Hn` where the daemon is started, then `orch daemon restart`"
            )
        ]
    }

    private func processes() -> Finding? {
        guard let room = facts.processes else { return nil }
        let fact = "\(room.used) processes and threads of at most \(room.limit) (\(room.setBy))"
        // A tenth, and no more than a build or a crowd of workers takes.
        guard room.left < min(max(1, room.limit / 10), 200) else { return Finding(.ok, "processes", fact) }
        return Finding(
            room.left == 0 ? .error : .warning, "processes", fact,
            because: "what can't be started then is tried again, as no failure of the service",
            remedy: "raise \(room.setBy), or find who makes so many: `ps -eLf | awk '{print $1}' | sort | uniq -c`")
    }

    private func inotify() -> Finding? {
        if let obstacle = facts.inotifyObstacle {
            let limits =
                "fs.inotify.max_user_instances is \(facts.inotifyInstances ?? 0), max_user_watches \(facts.inotifyWatches ?? 0)"
            return Finding(
                .error, "inotify", "cannot \(obstacle.step) inotify: \(obstacle.reason)",
                because: "other programs of \(facts.user) have them all; \(limits)",
                remedy: "`sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=524288`")
        }
        guard let instances = facts.inotifyInstances, let watches = facts.inotifyWatches else { return nil }
        return Finding(.ok, "inotify", "\(instances) instances and \(watches) watches for each user, and some are left")
    }
}

/// A folder of orch's own, or of logs, and the disk that it is on.
struct DiskFindings {
    /// Below these a disk is soon full; what is left is nothing to rely on.
    static let scarceBytes: Int64 = 200 << 20
    static let scarceFiles: Int64 = 1_000
    /// On which locks and databases fail in ways of their own, and which may stop answering.
    static let remote: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs",
        "orangefs",
        "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs2", "fuse.ceph", "fuse.gcsfuse",
    ]

    /// `state`, `logs of web`.
    var about: String
    var path: String
    /// Holds the database and locks.
    var isState: Bool
    var facts: FileSystemFacts?

    func findings() -> [Finding] {
        guard let facts else { return [] }
        guard facts.answers else {
            return [
                Finding(
                    .error, about, "\(path) is on a file system (\(facts.kind)) that does not answer",
                    because: "whoever asks it anything waits in the kernel",
                    remedy: "mend what it is mounted from, or unmount it: `umount -l`")
            ]
        }
        var result: [Finding] = []
        if facts.isReadOnly {
            result.append(
                Finding(
                    .error, about, "\(path) is on a file system that is mounted read-only",
                    remedy: "mount it to be written, or choose another folder"))
        }
        if Self.remote.contains(facts.kind) {
            result.append(
                Finding(
                    .warning, about, "\(path) is on a network file system (\(facts.kind))",
                    because: isState
                        ? "its locks and its cache make the history's database unsafe, and when its server is gone the daemon waits"
                        : "while its server is gone the lines wait in their pipes, and then the services",
                    remedy: isState
                        ? "set ORCH_HOME, or XDG_STATE_HOME, to a folder on a disk of this host"
                        : "log to a disk of this host, or set `when_full: drop`"))
        }
        for (room, what, scarce) in [
            (facts.space, "bytes", Self.scarceBytes), (facts.files, "inodes", Self.scarceFiles),
        ] {
            guard let room, room.left < scarce, !facts.isReadOnly else { continue }
            let left = what == "bytes" ? ByteText.of(room.left) : "\(room.left) inodes"
            result.append(
                Finding(
                    room.left == 0 ? .error : .warning, about, "\(path) has \(left) left",
                    because: isState
                        ? "when it is full `apply` is refused, and history waits in memory"
                        : "when it is full the services that write there wait, or lose lines with `when_full: drop`",
                    remedy: "free some, or choose another disk"))
        }
        guard result.isEmpty else { return result }
        let free = facts.space.map { ", \(ByteText.of($0.left)) free" } ?? ""
        return [Finding(.ok, about, "\(path) (\(facts.kind)\(free))")]
    }
}
