// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// A question that waits for a line.
struct AwaitedSign {
    let round: UInt64
    let pattern: String
    let timeout: Duration
}

/// Probes that are about what a service writes: the pump looks at its lines, and says when one came that somebody asked for.
extension LinuxHost {
    func listen(_ launch: LaunchID, _ kind: ProbeKind, _ round: UInt64, _ pattern: String, for timeout: Duration) {
        let question = HostQuestion.probe(launch, kind, round)
        guard let record = records[launch], !record.readEnds.isEmpty else {
            return answer(
                question, .unasked("nobody reads what it writes: it was started with its output discarded; restart it"))
        }
        let sign = LineSign(launch: launch, kind: kind)
        awaitedSigns[sign] = AwaitedSign(round: round, pattern: pattern, timeout: timeout)
        appointments.add(.line(sign, round: round), at: now.instant + timeout)
        pump.listen(sign, for: pattern)
    }

    func signCame(_ sign: LineSign) {
        guard let awaited = awaitedSigns.removeValue(forKey: sign) else { return }
        answer(.probe(sign.launch, sign.kind, awaited.round), .success)
    }

    func lineIsLate(_ sign: LineSign, _ round: UInt64) {
        guard let awaited = awaitedSigns[sign], awaited.round == round else { return }
        awaitedSigns[sign] = nil
        let shown = awaited.pattern.count <= 80 ? awaited.pattern : "\(awaited.pattern.prefix(79))…"
        answer(
            .probe(sign.launch, sign.kind, round),
            .failure("no line that it wrote matched \"\(shown)\" within \(awaited.timeout.text)"))
    }
}

extension HealthSpec {
    /// The patterns of probes that wait for lines.
    var patterns: [ProbeKind: String] {
        var found: [ProbeKind: String] = [:]
        for kind in ProbeKind.allCases { if case .log(let pattern) = self[kind]?.action { found[kind] = pattern } }
        return found
    }
}
