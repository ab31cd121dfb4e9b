// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A process of the machine in memory.
struct SimulatedProcess {
    let launch: LaunchID
    var instance: InstanceID
    let definition: Digest
    var life: SimulatedLife
    let orderedAt: Instant
    let needs: [String]
    let locks: [String]
    let notifies: Bool
    let isTask: Bool
    var hasExecuted = false
    var hasEnded = false
    var isMainAlive = true
    var isAlive = true
    var isKilled = false
    var isToldToStop = false
    var exit: Exit?
    var fault: Fault?
}
