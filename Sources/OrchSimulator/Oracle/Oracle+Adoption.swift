// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What a new daemon must know.
extension Machine {
    /// Whatever lives is taken over as what it was; only what has no place any more is a stray.
    func checkAdopted(_ known: [StackStatus], _ notes: [LaunchNote]) {
        var launches: Set<LaunchID> = []
        for row in known.flatMap(\.instances) { if let launch = row.launch { launches.insert(launch) } }
        let ordered = Set(notes.compactMap { if case .ordered(let launch, _, _, _, _) = $0 { launch } else { nil } })
        for place in processes.indices {
            guard let process = processes[place], !process.isClosed, !launches.contains(process.launch) else {
                continue
            }
            // Status shows the newer one of two, until it is released.
            let isFormer = processes.contains { other in
                guard let other else { return false }
                return other.seat == process.seat && other.launch > process.launch && launches.contains(other.launch)
            }
            if isFormer { continue }
            processes[place]?.watched.isStray = true
            let id = process.order.instance
            let hasPlace = specNow(of: id.service).map { id.replica <= $0.replicas } ?? false
            if hasPlace, process.isAlive, ordered.contains(process.launch) {
                violate("\(id) lives as \(process.launch.number) and daemon \(daemon) does not take it over")
            }
        }
        let names = known.map { "\($0.name) \($0.revision)" }
        let saved = disk.state.stacks.map { "\($0.request.stack.name) \($0.revision.hex)" }
        if names != saved { violate("daemon \(daemon) knows \(names) and \(saved) was saved") }
    }
}
