// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// One line an instance under its stack, and under what is not ready the reason.
struct StatusView {
    var stacks: [StackStatus]
    var time: TimeText
    /// Nil: as wide as it gets.
    var width: Int?
    /// Draws no pids, ages and resources: what is stored, not what lives.
    var isStored = false

    func lines() -> [Line] {
        guard !stacks.isEmpty else {
            return ["Nothing is applied. `orch apply` brings up the orch.yaml of this folder."]
        }
        var result: [Line] = []
        for (index, stack) in stacks.enumerated() {
            if index > 0 { result.append(Line()) }
            result.append(heading(of: stack).fitted(to: width))
            if !isStored { result += stack.host.compactMap(degraded) }
            guard !stack.instances.isEmpty else {
                result.append(Line("  no services", .faint))
                continue
            }
            var table = Table(Self.columns)
            table.rows = stack.instances.map(row)
            result += table.lines(width: width, indent: 2)
        }
        return result + faint(hold) + faint(sampling)
    }

    private func degraded(_ host: HostStatus) -> Line? {
        if host.isUnreadable { return Line("  the host's \(host.text)", .caution) }
        guard let since = host.degradedSince else { return nil }
        let percent = Int((host.degradedAbove * 100).rounded())
        return Line("  the host is degraded since \(time.ago(since)): \(host.text), above \(percent)%", .caution)
    }

    /// The weaker promise, where it is the one that holds.
    private var hold: String? {
        let isWeaker = stacks.contains { $0.instances.contains { $0.pid != nil && $0.tracking == SessionHold.word } }
        return isWeaker ? "\(SessionHold.promise) (`orch doctor` says why)" : nil
    }

    /// The same of limits that the kernel could hold and does not.
    private var sampling: String? {
        let sampled = stacks.flatMap(\.instances).filter { $0.pid != nil }.flatMap(\.limits).filter(\.isOnlySampled)
        let names = Resource.allCases.filter { resource in sampled.contains { $0.resource == resource } }
        guard !names.isEmpty else { return nil }
        return SampledLimits.promise(names.map(\.rawValue)) + " (`orch doctor` says why)"
    }

    private func faint(_ text: String?) -> [Line] {
        guard let text else { return [] }
        return [Line()] + (width.map { DisplayWidth.wrapped(text, to: max(20, $0)) } ?? [text]).map { Line($0, .faint) }
    }

    private func heading(of stack: StackStatus) -> Line {
        var line = Line(stack.name, .strong) + "  "
        line += isStored ? Line("not running", .caution) : Line(stack.phase.rawValue, PhaseText.style(of: stack.phase))
        line += Line("  revision \(stack.revision.prefix(12))", .faint)
        if !stack.manifestPath.isEmpty { line += Line("  \(stack.manifestPath)", .faint) }
        return line
    }

    private static let columns = [
        Table.Column(heading: "SERVICE", minimum: 8),
        Table.Column(heading: "PHASE"),
        Table.Column(heading: "SINCE", alignedRight: true, dispensability: 1),
        Table.Column(heading: "PID", alignedRight: true, dispensability: 2),
        Table.Column(heading: "RESTARTS", alignedRight: true, dispensability: 4),
        Table.Column(heading: "HEALTH", dispensability: 3),
        Table.Column(heading: "CPU", alignedRight: true, dispensability: 5),
        Table.Column(heading: "MEM", alignedRight: true, dispensability: 5),
        Table.Column(heading: "PORTS", minimum: 6, dispensability: 6),
    ]

    private func row(_ status: InstanceStatus) -> Table.Row {
        let ports = status.ports.map { port in
            (port.name.map { "\($0)=" } ?? "") + "\(port.port)" + (port.transport == .udp ? "/udp" : "")
        }
        let cells: [Line] = [
            Line(status.label),
            Line(status.phase.rawValue, PhaseText.style(of: status.phase)),
            isStored ? Line() : Line(time.age(of: status.since)),
            Line(status.pid.map { String($0) } ?? ""),
            isStored ? Line() : Line(String(status.restarts), status.restarts == 0 ? .faint : .caution),
            Line(status.health == .none ? "" : status.health.rawValue, PhaseText.style(of: status.health)),
            Line(status.cpuPercent.map(ByteText.percent) ?? ""),
            Line(status.memoryBytes.map(ByteText.of) ?? ""),
            Line(ports.joined(separator: " ")),
        ]
        return Table.Row(cells: cells, notes: notes(of: status))
    }

    /// Never cut, as a person has to act on it.
    private func wrapped(_ note: Line) -> [Line] {
        guard let width, note.width > width - 4 else { return [note] }
        return DisplayWidth.wrapped(note.text, to: max(20, width - 4)).map { Line($0) }
    }

    /// The phase says it all: it is ready, or has ended as it was to and not because something made it end.
    private func isPlain(_ status: InstanceStatus) -> Bool {
        switch status.phase {
        case .ready: true
        case .done: status.until == nil && status.reason.hasPrefix("ended with ")
        case .idle, .waiting, .backoff, .starting, .running, .unhealthy, .reloading, .stopping, .failed, .stuck: false
        }
    }

    private func notes(of status: InstanceStatus) -> [Line] {
        var notes: [Line] = []
        if !isPlain(status), !status.reason.isEmpty || status.until != nil {
            notes += wrapped(PhaseText.reason(of: status, at: time))
        }
        for limit in status.limits {
            guard let since = limit.exceededSince else { continue }
            notes += wrapped(Line("beyond its limit since \(time.ago(since)): \(limit.text)", .caution))
        }
        if let trouble = status.logTrouble { notes += wrapped(Line(trouble)) }
        if let said = status.said, !said.isEmpty { notes.append(Line("says: \(said)", .faint)) }
        return notes
    }
}
