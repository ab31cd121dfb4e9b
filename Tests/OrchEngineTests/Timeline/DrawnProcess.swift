// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// A process of a timeline.
struct DrawnProcess {
    let launch: LaunchID
    var name: String
    let definition: Digest
    /// It does only what its row says.
    let isDrawn: Bool
    let isTask: Bool
    /// By what it says that it is ready.
    let says: Notice
    /// What its probes say now.
    var answer: ProbeResult
    var hasExecuted = false
    var isMainAlive = true
    var isTreeAlive = true
    /// SIGKILL does nothing to it.
    var isDeep = false
    var exit: Exit?
    var fault: Fault?
}

/// What follows at once from what was done: the process's answer, or what is drawn for it in the column of its launch.
enum Reaction {
    case event(Event)
    case fact(WorldFact, String)
}
