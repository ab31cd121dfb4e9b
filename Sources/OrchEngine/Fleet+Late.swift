// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is said of a launch that has ended changes nothing; where it shows that a service and its readiness have got out of step,
/// it is told.
extension Fleet {
    mutating func hear(_ launch: LaunchID, _ notice: Notice, at now: Moment) {
        if notice == .ready, let place = placeOfEnded(launch) {
            let cause = "READY=1 of launch \(launch.number) came after its end and changes nothing"
            var told: [Effect] = []
            tell(place, .warning, cause, at: now, launch: launch, key: "ready", &told)
            pending += told
        }
        if notice == .stored, let place = launchIndex[launch] { slots[place]?.hasStored = true }
        let awaited = launchIndex[launch].flatMap { spec(at: $0)?.value.ready }
        learn(launch) { $0.hear(notice, awaited: awaited, at: now.instant) }
    }

    /// The slot whose launch this was, when it has ended and not long ago.
    private func placeOfEnded(_ launch: LaunchID) -> Int? {
        if let place = launchIndex[launch] {
            return slots[place]?.current?.hasEnded ?? false ? place : nil
        }
        guard let closed = lately.last(where: { $0.launch == launch }) else { return nil }
        return slotPlace(closed.instance)
    }

    /// Remembers the latest closed launches, so that a late word of one has an address.
    mutating func rememberClosed(_ launch: LaunchID, of instance: InstanceID) {
        lately.append((launch, instance))
        if lately.count > Patience.closedLaunches { lately.removeFirst(lately.count - Patience.closedLaunches) }
    }
}
