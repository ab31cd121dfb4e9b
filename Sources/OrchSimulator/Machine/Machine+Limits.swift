// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What trees use, and how full the host is.
extension Machine {
    func measure(_ questions: [ResourceQuestion]) {
        if questions.isEmpty { violate("a look at nothing") }
        for question in questions {
            mix(12, question.launch)
            _ = open(question.launch, "measure")
            if question.limits.isEmpty { violate("\(question.launch.number) is looked at and has no limits") }
            later(.milliseconds(1), .measured(question, daemon: daemon))
        }
    }

    /// Of what is gone by now nothing is told.
    func measured(_ question: ResourceQuestion) {
        guard isMeasurable(question.launch), let place = places[question.launch], let process = processes[place],
            let executedAt = process.executedAt
        else { return }
        let sample = process.life.sample(of: question, age: clock - executedAt)
        tell(.measured(sample))
        guard isDaemonAlive, process.isMainAlive, process.watched.step < 0,
            let limits = specNow(of: process)?.resources, let memory = limits.memory,
            let used = sample.memoryBytes, used > memory
        else { return }
        processes[place]?.watched.isBeyondLimit = true
        processes[place]?.watched.wasBeyondLimit = true
        watch.touch(process.seat)
    }

    func measureHost(_ wanted: [HostResource]) {
        digest.mix(13 << 56 | wanted.count)
        let isFull = dice.once(in: 4)
        later(
            .milliseconds(1),
            .hostMeasured(wanted.map { HostReading($0, used: isFull ? 0.95 : 0.5) }, daemon: daemon))
    }

    /// Before its ladder begins: for a limit only if it went beyond one. One that goes as another does quotes that one's reason.
    func checkLimit(_ launch: LaunchID, _ reason: String) {
        guard Resource.allCases.contains(where: { reason.hasPrefix("\($0.rawValue): ") }), let place = places[launch],
            let process = processes[place],
            !process.watched.isBeyondLimit
        else { return }
        violate("\(launch.number) is stopped for a limit that it keeps: \(reason)")
    }

    /// At the end of a turn: what is to go for its limits goes. What is applied meanwhile may ask for something else.
    func liesBeyondLimit(_ process: MachineProcess) -> Bool {
        guard process.watched.isBeyondLimit, process.watched.stopBegan == nil, process.isMainAlive, !watch.isDiskBehind,
            let limits = specNow(of: process)?.resources, limits.memory == process.order.spec.resources.memory
        else { return false }
        return limits.memory != nil && limits.onExceed != .report
    }
}
