// SPDX-License-Identifier: Apache-2.0
internal import OrchEngine
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
    /// By what it says that it is ready, if it is to.
    let says: Notice?
    let isTask: Bool
    /// It is a hook of its instance.
    var hook: HookKind?
    var hasExecuted = false
    var hasEnded = false
    var isMainAlive = true
    var isAlive = true
    var isKilled = false
    var isToldToStop = false
    var exit: Exit?
    var fault: Fault?
}
