// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Services that say in their own way that they are ready.
extension LinuxHost {
    /// The pattern of the line that is still to come.
    func awaitedLine(of record: LaunchRecord) -> String? {
        guard case .log(let pattern) = record.context?.ready, !wereAnnounced.contains(record.launch) else { return nil }
        return pattern
    }

    /// The end for the service to write its newline to.
    func readyFile(of launch: LaunchID) throws(SystemError) -> HeldDescriptor {
        let file = HeldDescriptor(try readyFiles.open(for: launch))
        try watchReadiness()
        return file
    }

    /// Goes on where a former daemon was.
    func resumeReadiness() {
        for launch in readyFiles.leftovers() {
            guard let record = records[launch] else {
                readyFiles.removeLeftover(launch)
                continue
            }
            do {
                let hasSpoken = try readyFiles.resume(launch)
                try watchReadiness()
                if hasSpoken, !wereAnnounced.contains(launch) { lineCame(launch) }
            } catch {
                let label = record.context?.label ?? "launch \(launch.number)"
                outbox.append(.remarked(error.fault(step: "see whether it is ready:", subject: label).text))
            }
        }
    }

    private func watchReadiness() throws(SystemError) {
        guard !isReadinessWatched, let changes = readyFiles.changes else { return }
        try poller.watch(changes.descriptor.number, .reading, as: .readiness)
        isReadinessWatched = true
    }

    /// The line stays in its pipe until what follows from it is noted, see `letLinesGo`.
    func lineCame(_ launch: LaunchID) {
        awaitedLines.append(launch)
        if let record = records[launch] { heard(.line, from: record) }
    }

    /// All that was told so far is noted: who dies from here on has a successor that knows of it.
    func letLinesGo() {
        guard !awaitedLines.isEmpty else { return }
        let early = awaitedLines.filter { !(records[$0]?.waitingNotices.isEmpty ?? true) }
        for launch in awaitedLines where !early.contains(launch) { pump.letGo(launch) }
        awaitedLines = early
    }

    /// Launches of which former daemons noted that they are ready, or said so.
    static func announced(in notes: [LaunchNote]) -> Set<LaunchID> {
        var announced: Set<LaunchID> = []
        for note in notes {
            switch note {
            case .ready(let launch, _), .announced(let launch): announced.insert(launch)
            case .ordered, .executed, .told, .locked, .reloadOwed, .reloadEnded, .configured, .stopping, .failed,
                .forgiven,
                .probed, .tallied, .runs, .hook, .renamed,
                .released, .ended, .halted, .resumed:
                break
            }
        }
        return announced
    }
}
