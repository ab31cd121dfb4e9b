// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Controllers for the groups of launches. They are handed down from the group that the daemon is in, which is to have no processes of its
/// own then (cgroup-v2.rst, "No Internal Process Constraint"): where only orch's own are there, they move into a leaf beside the launches.
extension ControlGroupRoot {
    /// What limits are held by.
    static let limiting = ["memory", "cpu", "pids"]
    /// The leaf that orch's own processes move into.
    static let leaf = "orch-daemon"

    /// Hands down what there is. Doing it twice is doing it once. Returns what was refused.
    func handDownControllers() -> [Fault] {
        let base = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex))
        let offered = Self.controllers(in: base).filter(Self.limiting.contains)
        guard !offered.isEmpty else { return [] }
        if !Self.given(in: base).isSuperset(of: offered), !Self.isRoot(base) {
            // cpu and pids could be handed down beside processes; then no group below could hold any (cgroup-v2.rst, "Threads").
            guard Self.strangers(in: base).isEmpty else { return [] }
            Self.vacate(base)
            guard Self.members(of: base).isEmpty else { return [] }
        }
        return Self.enable(offered, in: base) + Self.enable(offered, in: path)
    }

    /// The part of `limiting` that launches below a group can have, and why they can't have the others; nothing is changed.
    static func examineLimits(in own: String, _ facts: inout ControlGroupFacts) {
        let offered = facts.controllers.filter(limiting.contains)
        let given = given(in: own).filter(limiting.contains).sorted()
        guard !offered.isEmpty else {
            facts.limitObstacle =
                facts.hasVersion1
                ? "version 1 of control groups has the controllers" : "the group was given no controllers"
            return
        }
        let strangers = strangers(in: own)
        if unsafe access("\(own)/cgroup.subtree_control", W_OK) != 0 {
            facts.limitObstacle = Reason.text(errno)
            facts.limits = given
        } else if let stranger = strangers.first, !isRoot(own), given != offered.sorted() {
            let others = strangers.count == 1 ? "" : " and \(strangers.count - 1) more"
            facts.limitObstacle = "others live in its group: pid \(stranger)\(others)"
            facts.limits = given
        } else {
            facts.limits = offered
        }
    }

    /// The root of all groups may have processes; it is the one without this file.
    private static func isRoot(_ group: String) -> Bool { unsafe access("\(group)/cgroup.events", F_OK) != 0 }

    private static func given(in group: String) -> Set<String> { Set(words("\(group)/cgroup.subtree_control")) }

    private static func controllers(in group: String) -> [String] { words("\(group)/cgroup.controllers") }

    private static func words(_ path: String) -> [String] {
        (SmallFile.text(path, limit: 4096) ?? "").split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    /// One by one, as one that is refused takes the others along.
    private static func enable(_ names: [String], in group: String) -> [Fault] {
        let there = given(in: group)
        return names.filter { !there.contains($0) }.compactMap {
            ControlGroup.poke("+\($0)", into: "\(group)/cgroup.subtree_control")
        }
    }

    private static func members(of group: String) -> [Int32] {
        (SmallFile.text("\(group)/cgroup.procs") ?? "").split(separator: "\n").compactMap { Int32($0) }
    }

    /// Processes that are not orch's programs.
    private static func strangers(in group: String) -> [Int32] {
        members(of: group).filter { pid in
            let name = SmallFile.text("/proc/\(pid)/comm", limit: 64)?.split(separator: "\n").first ?? ""
            return !["orch", "orchd", "orch-keeper", "orch-edge"].contains(name)
        }
    }

    private static func vacate(_ group: String) {
        let leaf = "\(group)/\(leaf)"
        guard unsafe mkdir(leaf, 0o755) == 0 || errno == EEXIST else { return }
        for pid in members(of: group) { try? SmallFile.poke("\(pid)", into: "\(leaf)/cgroup.procs") }
    }
}
