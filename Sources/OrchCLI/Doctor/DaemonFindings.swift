// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// What was seen of the daemon.
enum DaemonLook {
    case running(DaemonStatus, isSameVersion: Bool, [StackStatus])
    /// `orphans`: processes of services that live without one. The stacks are stored.
    case absent(orphans: Int, [StackStatus])
    /// It can't be talked to.
    case unreachable(Failure)

    /// Whose limits and control group count for services.
    var pid: Int32? { if case .running(let status, _, _) = self { status.pid } else { nil } }
    var stacks: [StackStatus] {
        switch self {
        case .running(_, _, let stacks), .absent(_, let stacks): stacks
        case .unreachable: []
        }
    }
}

/// The daemon and what it keeps on the disk.
struct DaemonFindings {
    var look: DaemonLook
    var facts: HostFacts
    /// Why the programs beside this one can't serve.
    var programFault: Fault?
    /// Absolute.
    var state: String
    /// Names in the state folder.
    var stored: [String] = []
    /// Manifests of applied stacks that are not there any more, by stack.
    var lostManifests: [(stack: String, path: String)] = []

    func findings() -> [Finding] {
        var result = daemon()
        if let programFault {
            result.append(Finding(.error, "programs", programFault))
        } else {
            result.append(
                Finding(.ok, "programs", "orchd and orch-keeper are beside orch, all of version \(OrchVersion.text)"))
        }
        if let socket = facts.staleSocket {
            result.append(
                Finding(
                    .warning, "daemon", "\(socket) is left over: nobody listens at it",
                    because: "the daemon and its keeper were killed together",
                    remedy: "`orch daemon start` replaces it"))
        }
        for name in stored where name.contains(".damaged-") && !name.hasSuffix("-wal") && !name.hasSuffix("-shm") {
            result.append(
                Finding(
                    .warning, "state", "\(state)/\(name) was damaged and set aside",
                    because:
                        "history from before that is not told any more; what runs and what is applied is not touched",
                    remedy: "remove it, or have its disk looked at"))
        }
        for lost in lostManifests {
            result.append(
                Finding(
                    .warning, "state", "stack \(lost.stack) was applied from \(lost.path), which is not there any more",
                    because: "it runs on, and can't be applied from there again",
                    remedy: "`orch apply FILE --adopt` from where it is now, or `orch down \(lost.stack)`"))
        }
        return result
    }

    private func daemon() -> [Finding] {
        switch look {
        case .running(let status, let isSameVersion, _): return running(status, isSameVersion)
        case .absent(let orphans, let stacks): return [absent(orphans, stacks)]
        case .unreachable(let failure):
            return [Finding(.error, "daemon", failure.message, remedy: failure.help)]
        }
    }

    private func absent(_ orphans: Int, _ stacks: [StackStatus]) -> Finding {
        if orphans > 0 {
            return Finding(
                .error, "daemon",
                "no daemon runs, but \(CountText.of(orphans, "process", "processes")) of its services: somebody killed it",
                because: "nobody supervises them: what ends is not started again, and keeps no log",
                remedy: "`orch daemon start` starts it again, which takes them over")
        }
        if !stacks.isEmpty {
            return Finding(
                .warning, "daemon",
                "no daemon runs, and \(CountText.of(stacks.count, "stack is", "stacks are")) applied",
                because: "nothing of \(stacks.map(\.name).joined(separator: ", ")) runs",
                remedy: "`orch daemon start` starts what is applied and enabled")
        }
        return Finding(.ok, "daemon", "none runs, and nothing is applied; `orch apply` starts it")
    }

    private func running(_ status: DaemonStatus, _ isSameVersion: Bool) -> [Finding] {
        var result: [Finding] = []
        if isSameVersion {
            let holds = "\(CountText.of(status.stacks, "stack")) with \(CountText.of(status.instances, "instance"))"
            result.append(
                Finding(.ok, "daemon", "it runs: version \(status.version), pid \(status.pid), \(holds)"))
        } else {
            result.append(
                Finding(
                    .warning, "daemon", "it runs version \(status.version), and this is orch \(OrchVersion.text)",
                    because: "it can be asked, and refuses every change",
                    remedy: "`orch daemon upgrade` replaces it; services run on"))
        }
        if let fallback = status.fallback { result.append(Finding(.error, "daemon", fallback)) }
        if status.isShuttingDown {
            result.append(
                Finding(.warning, "daemon", "it is stopping everything", remedy: "`orch daemon stop` shows how it goes")
            )
        }
        if let last = status.remarks.last {
            let count = status.remarks.count
            result.append(
                Finding(
                    .warning, "daemon", "it has \(CountText.of(count, "remark")) on itself; the last: \(last)",
                    remedy: "`orch daemon status` tells all of them"))
        }
        return result
    }
}
