// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire

/// Other programs take over: the keeper first, while this daemon lives and can be the keeper again if that fails; then this daemon
/// makes room for the next one. Services run on.
extension Conductor {
    /// Nil: the answer comes when the keeper is another one.
    mutating func upgrade(_ upgrade: Upgrade, _ id: UInt64, from place: Int, at now: Moment) throws(Refusal)
        -> Reply.Body?
    {
        if isShuttingDown {
            throw Refusal(
                .conflict, "the daemon is stopping everything and ends",
                remedy: "wait until it has ended: the next `orch apply` starts the new one")
        }
        guard upgradeAskedBy == nil else {
            throw Refusal(.conflict, "an upgrade is under way", remedy: "wait until it is done, some seconds at most")
        }
        upgradeAskedBy = (sessions[place].id, id)
        host.perform(.renew(upgrade))
        return nil
    }

    /// The keeper is another one, or why not.
    mutating func keeperRenewed(_ fault: Fault?, at now: Moment) {
        guard let (client, id) = upgradeAskedBy else { return }
        upgradeAskedBy = nil
        let body: Reply.Body
        if let fault {
            let text = "the upgrade was given up and nothing was changed: \(fault.text)"
            record(Occurrence(time: now.wall, stack: "", kind: .warning, cause: text), at: now)
            body = .refusal(Refusal(.failed, text, remedy: fault.remedy))
        } else {
            body = .accepted(nil, text: "the keeper is the new one; the daemon is replaced, services run on")
            isReplaced = true
        }
        guard let place = sessions.firstIndex(where: { $0.id == client }) else { return }
        sessions[place].session.say(id, body)
    }
}
