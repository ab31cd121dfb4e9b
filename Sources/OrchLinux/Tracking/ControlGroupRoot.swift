// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The daemon's own subtree of the version 2 hierarchy, below the group it runs in: `orch-<uid>-<digest>/<label>-<launch>`.
final class ControlGroupRoot {
    let path: String
    /// Of the groups that outlive their main process.
    let changes: LaunchWatches

    private init(path: String, changes: LaunchWatches) {
        self.path = path
        self.changes = changes
    }

    /// The subtree for this user and `digest`, made if need be. The fault says why groups can't be used here.
    static func establish(digest: String) throws(Fault) -> ControlGroupRoot {
        let own = try group(of: "self")
        let root = "\(own)/orch-\(getuid())-\(digest)"
        if unsafe mkdir(root, 0o755) != 0, errno != EEXIST { throw fault(root, errno) }
        // clone(2): whoever is born in a group needs write access to cgroup.procs of the common ancestor too.
        for group in [own, root] where unsafe access("\(group)/cgroup.procs", W_OK) != 0 { throw fault(group, errno) }
        do {
            return ControlGroupRoot(path: root, changes: try LaunchWatches())
        } catch {
            throw fault(root, error.code)
        }
    }

    /// Whether a subtree could be established by such a process; nothing is made.
    static func examine(below process: String) -> ControlGroupFacts {
        var facts = ControlGroupFacts()
        let mounts = SmallFile.text("/proc/self/mountinfo", limit: Limits.mountListBytes) ?? ""
        facts.hasVersion1 = mounts.contains(" - cgroup ")
        facts.mount = mountPoint()?.path
        facts.isRefused = unsafe getenv("ORCH_TRACKING").map { unsafe String(cString: $0) } == "session"
        guard facts.mount != nil else {
            facts.obstacle = "no version 2 hierarchy is mounted"
            return facts
        }
        guard let own = try? group(of: process) else {
            facts.obstacle = "the group of this process can't be seen from here"
            return facts
        }
        facts.group = own
        let controllers = SmallFile.text("\(own)/cgroup.controllers", limit: 4096) ?? ""
        facts.controllers = controllers.split { $0 == " " || $0 == "\n" }.map(String.init)
        examineLimits(in: own, &facts)
        for (path, mode) in [(own, W_OK | X_OK), ("\(own)/cgroup.procs", W_OK)] where unsafe access(path, mode) != 0 {
            facts.obstacle = Reason.text(errno)
            break
        }
        return facts
    }

    /// A new group for a launch.
    func make(_ launch: LaunchID, label: String) throws(SystemError) -> ControlGroup {
        let group = ControlGroup(path: "\(path)/\(label)-\(launch.number)")
        var made = unsafe mkdir(group.path, 0o755)
        // Somebody tidied up: an empty subtree can be removed by anyone who may write above it.
        if made != 0, errno == ENOENT, unsafe mkdir(path, 0o755) == 0 { made = unsafe mkdir(group.path, 0o755) }
        guard made == 0 || errno == EEXIST else { throw SystemError("mkdir", code: errno) }
        return group
    }

    /// The groups that a former daemon left, by launch.
    func leftovers() -> [LaunchID: ControlGroup] {
        var found: [LaunchID: ControlGroup] = [:]
        for name in SmallFile.names(in: path) {
            guard let dash = name.utf8.lastIndex(of: UInt8(ascii: "-")),
                let number = UInt64(name[name.utf8.index(after: dash)...])
            else { continue }
            found[LaunchID(number)] = ControlGroup(path: "\(path)/\(name)")
        }
        return found
    }

    /// Whether something lives in a launch's group. Once it was found so, `changes` tells when that may be over: few groups outlive their
    /// main process, so few are ever watched.
    func isPopulated(_ group: ControlGroup, of launch: LaunchID) throws(SystemError) -> Bool {
        guard group.isPopulated else { return false }
        guard !changes.isWatched(launch) else { return true }
        try changes.watch("\(group.path)/cgroup.events", for: launch)
        // What ended before the watch was there is not told.
        return group.isPopulated
    }

    /// After the launch is closed.
    func forget(_ launch: LaunchID) { changes.forget(launch) }

    /// The launch whose group a process is in.
    func launch(of pid: Int32) -> LaunchID? {
        let name = "/" + (path.split(separator: "/").last ?? "") + "/"
        for line in (SmallFile.text("/proc/\(pid)/cgroup", limit: 65536) ?? "").split(separator: "\n")
        where line.hasPrefix("0::") {
            guard let range = line.firstRange(of: name) else { return nil }
            let group = line[range.upperBound...].prefix { $0 != "/" && $0 != " " }
            return group.split(separator: "-").last.flatMap { UInt64($0) }.map { LaunchID($0) }
        }
        return nil
    }

    /// Removes the subtree, as far as nothing is alive in it.
    func remove() {
        for group in leftovers().values { group.remove() }
        _ = unsafe rmdir(path)
    }

    // MARK: Where it is

    private static func fault(_ path: String, _ code: Int32) -> Fault {
        Fault(
            step: "use control groups below", subject: path, reason: Reason.text(code),
            remedy: "processes are tracked by session instead")
    }

    /// The directory of the group that a process is in, by its number or `self`.
    static func group(of process: String) throws(Fault) -> String {
        guard let mount = mountPoint() else { throw fault("/sys/fs/cgroup", ENOENT) }
        let lines = (SmallFile.text("/proc/\(process)/cgroup") ?? "").split(separator: "\n")
        guard let own = lines.first(where: { $0.hasPrefix("0::") })?.dropFirst(3), !own.contains("/..") else {
            throw fault(mount.path, ENOENT)
        }
        // A mount may show only a part of the hierarchy (a container's): the part's own path is its root.
        var inside = mount.root != "/" && own.hasPrefix(mount.root) ? own.dropFirst(mount.root.count) : own
        // Orch's own processes may have moved there; launches are beside them.
        if inside.hasSuffix("/\(leaf)") { inside = inside.dropLast(leaf.utf8.count + 1) }
        return mount.path + (inside == "/" ? "" : inside)
    }

    /// Where a version 2 hierarchy is mounted (proc_pid_mountinfo(5)): `/sys/fs/cgroup`, or beside version 1 in `unified`.
    private static func mountPoint() -> (root: String, path: String)? {
        for line in (SmallFile.text("/proc/self/mountinfo") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash > 4, fields.count > dash + 1,
                fields[dash + 1] == "cgroup2"
            else { continue }
            return (String(fields[3]), String(fields[4]))
        }
        return nil
    }
}
