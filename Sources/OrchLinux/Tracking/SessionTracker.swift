// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Whose process is it, without control groups: by session, by parent, by the mark that a launch leaves in the environment of all that
/// it starts. One scan of the process table answers for all launches. What leaves its session, its parent and its
/// environment (`env -i` in a double fork) before it was seen once is not found; a control group would hold it.
final class SessionTracker {
    /// `ORCH_RUN` in the environment: tells this daemon's launches from another's.
    private let mark: String
    private var leaders: [Int32: (launch: LaunchID, startTicks: UInt64)] = [:]
    private var pids: [LaunchID: Int32] = [:]
    /// What was found once stays found, as long as it lives.
    private var owners: [ProcessIdentity: LaunchID] = [:]
    /// Environments that were read and are not ours.
    private var strangers: Set<ProcessIdentity> = []

    init(mark: String) { self.mark = mark }

    /// The launch's main process: it leads a session of its own.
    func add(_ launch: LaunchID, _ main: ProcessIdentity) {
        leaders[main.pid] = (launch, main.startTicks)
        pids[launch] = main.pid
        owners[main] = launch
    }

    func forget(_ launch: LaunchID) {
        guard let pid = pids.removeValue(forKey: launch) else { return }
        guard let leader = leaders[pid], leader.launch == launch else { return }
        leaders[pid] = nil
        // What else is known to be its own goes with the next scan.
        owners[ProcessIdentity(pid: pid, startTicks: leader.startTicks)] = nil
    }

    /// All living processes by launch. O(processes of the machine).
    func scan() -> [LaunchID: [ProcessEntry]] {
        let table = ProcessTable.scan()
        var index: [Int32: Int] = [:]
        for (position, entry) in table.enumerated() { index[entry.pid] = position }
        var answers: [Int: LaunchID?] = [:]
        var found: [LaunchID: [ProcessEntry]] = [:]
        var seen: [ProcessIdentity: LaunchID] = [:]
        for position in table.indices {
            guard let launch = owner(of: position, in: table, index, &answers) else { continue }
            seen[table[position].identity] = launch
            if table[position].isAlive { found[launch, default: []].append(table[position]) }
        }
        owners = seen
        strangers = strangers.filter { stranger in index[stranger.pid].map { table[$0].identity == stranger } ?? false }
        return found
    }

    /// The launch that one process belongs to.
    func owner(of pid: Int32) -> LaunchID? {
        _ = scan()
        return ProcessTable.entry(of: pid).flatMap { owners[$0.identity] }
    }

    /// Walks towards the first ancestor whose owner is known; all on the way get the answer.
    private func owner(
        of start: Int, in table: [ProcessEntry], _ index: [Int32: Int], _ answers: inout [Int: LaunchID?]
    ) -> LaunchID? {
        var way: [Int] = []
        var position = start
        var answer: LaunchID?
        while true {
            if let known = answers[position] {
                answer = known
                break
            }
            way.append(position)
            if let own = ownAnswer(of: table[position], in: table, index) {
                answer = own
                break
            }
            // A parent that started later took over the number; process 1 and loops end the walk.
            guard let parent = index[table[position].parent], way.count <= table.count,
                table[parent].identity.startTicks <= table[position].identity.startTicks
            else { break }
            position = parent
        }
        for step in way { answers[step] = .some(answer) }
        return answer
    }

    /// What a process says of itself, its ancestors left aside.
    private func ownAnswer(of entry: ProcessEntry, in table: [ProcessEntry], _ index: [Int32: Int]) -> LaunchID? {
        if let known = owners[entry.identity], pids[known] != nil { return known }
        if let leader = leaders[entry.session], entry.identity.startTicks >= leader.startTicks {
            // While a process of that number lives it must be our leader, else the number was used again.
            let holder = index[entry.session].map { table[$0].identity.startTicks }
            if holder == nil || holder == leader.startTicks { return leader.launch }
        }
        if strangers.contains(entry.identity) { return nil }
        if let launch = markedLaunch(entry.pid) { return launch }
        strangers.insert(entry.identity)
        return nil
    }

    private func markedLaunch(_ pid: Int32) -> LaunchID? {
        guard let environment = ProcessTable.environment(of: pid), environment.contains("ORCH_RUN=\(mark)") else {
            return nil
        }
        for entry in environment where entry.hasPrefix("ORCH_LAUNCH=") {
            let launch = UInt64(entry.dropFirst(12)).map { LaunchID($0) }
            return launch.flatMap { pids[$0] == nil ? nil : $0 }
        }
        return nil
    }
}
