// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What is no service of ours: servers and files that come and go, and locks that others have.
extension Machine {
    /// Somebody takes it away for a while.
    func lose(_ need: OutsideNeed, for span: Duration) {
        note("» \(need.text) is away for \(span.brief)")
        absent[need.text] = max(absent[need.text] ?? .zero, clock + span)
    }

    func isThere(_ need: OutsideNeed) -> Bool { absent[need.text].map { $0 <= clock } ?? true }

    func ask(_ need: OutsideNeed, _ round: UInt64, _ timeout: Duration) {
        if timeout <= .zero { violate("\(need.text) is asked for with no time to answer") }
        if !watch.asked.insert("\(daemon) \(need.text)").inserted {
            violate("\(need.text) is asked for twice at a time")
        }
        let span = min(timeout, .milliseconds(Int64(1 + dice.below(dice.once(in: 6) ? 2_000 : 20))))
        later(span, .answersOutside(need, round: round, daemon: daemon))
    }

    func answers(_ need: OutsideNeed, _ round: UInt64) {
        watch.asked.remove("\(daemon) \(need.text)")
        if isThere(need) {
            watch.seenAt[need.text] = clock
            tell(.answered(need, round: round, .success))
        } else {
            let isUnasked = dice.once(in: 5)
            tell(.answered(need, round: round, isUnasked ? .unasked("no prober") : .failure("connection refused")))
        }
    }
}
