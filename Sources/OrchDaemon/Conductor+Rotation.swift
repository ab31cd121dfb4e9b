// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// Rotation of logs on demand: the host does it, and who asked is answered when it says what became of the files.
extension Conductor {
    /// Nil: the answer comes when the host has it.
    mutating func rotateLogs(of targets: [Target], _ id: UInt64, from place: Int, at now: Moment) throws(Refusal)
        -> Reply.Body?
    {
        settle(at: now)
        for target in targets { try fleet.admit(.stop([target], timeout: nil)) }
        let subjects = fleet.instances(of: targets).compactMap { instance -> LogRotation.Subject? in
            let stack = requests[instance.service.stack]?.stack
            return stack?.service(instance.service.service).map { LogRotation.Subject(instance, $0.logging) }
        }
        lastRotation += 1
        rotationsAskedBy.append((lastRotation, sessions[place].id, id))
        host.perform(.rotate(lastRotation, subjects))
        return nil
    }

    mutating func rotated(_ number: UInt64, _ files: [LogRotation]) {
        guard let asked = rotationsAskedBy.firstIndex(where: { $0.number == number }) else { return }
        let (_, client, id) = rotationsAskedBy.remove(at: asked)
        guard let place = sessions.firstIndex(where: { $0.id == client }) else { return }
        sessions[place].session.say(id, .rotated(files))
    }
}
