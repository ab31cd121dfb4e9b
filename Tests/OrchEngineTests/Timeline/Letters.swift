// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What the letters of a drawing mean. This is the one table; whoever reads a timeline needs nothing else.
///
/// One column is one second unless the timeline says otherwise, and `-` is "nothing". What happens in one column reads from left to
/// right: the facts of the `world` rows in the order of the rows, then the commands, then what orch does and what follows at once.
/// A second row for the same instance goes under the first: what happens in one column reads downward.
enum Letters {
    /// `world`: what happens to an instance.
    ///
    /// An instance without such a row is obedient: it executes at once, is ready and well at once, and ends at the first signal; a task
    /// succeeds at once. An instance with one does nothing but what is drawn: only SIGKILL ends it unasked. If there is an `r` in its row,
    /// it is not well before it.
    static let world: [(letter: Character, meaning: String, fact: WorldFact)] = [
        ("-", "nothing", .nothing),
        ("w", "a launch that is ordered here is still being executed", .isSlow),
        ("f", "a launch that is ordered here, or still being executed, fails: no such file", .failsToLaunch),
        ("s", "the same, because the machine lacks something", .isScarce),
        ("r", "it says that it is ready if it is to, and its probes succeed from here", .ready),
        ("g", "its probes succeed from here", .well),
        ("p", "its probes fail from here", .sick),
        ("d", "its probes can't be asked from here", .unasked),
        ("v", "it says RELOADING=1", .reloading),
        ("k", "it says WATCHDOG=1", .says(.watchdog)),
        ("T", "it says WATCHDOG=trigger", .says(.watchdogTrigger)),
        ("h", "it says STOPPING=1", .says(.stopping)),
        ("F", "it hands a descriptor over: FDSTORE=1", .says(.stored)),
        ("E", "it says EXTEND_TIMEOUT_USEC for five seconds", .says(.extend(.seconds(5)))),
        ("l", "READY=1 of a launch that has ended arrives late", .lateReady),
        ("0", "the main process exits 0, and nothing of it is left", .exits(.code(0), leavesOthers: false)),
        ("x", "it exits 1", .exits(.code(1), leavesOthers: false)),
        ("7", "it exits 7", .exits(.code(7), leavesOthers: false)),
        ("t", "it ends by SIGTERM", .exits(.signal(.terminate, coreDumped: false), leavesOthers: false)),
        ("c", "it crashes: SIGSEGV", .exits(.signal(Signal(number: 11), coreDumped: true), leavesOthers: false)),
        ("O", "the main process exits 0 and leaves others behind", .exits(.code(0), leavesOthers: true)),
        ("X", "it exits 1 and leaves others behind", .exits(.code(1), leavesOthers: true)),
        ("e", "nothing of its tree runs any more; the exit of its main process may still be to come", .emptied),
        ("u", "from here SIGKILL does nothing to it: uninterruptible sleep", .isDeep),
        ("y", "the errand that runs for it has worked", .errandWorks),
        ("q", "the errand that runs for it has failed", .errandFails),
        ("n", "a step of the ladder that is run here can't do its work", .stepIsBroken),
    ]

    /// `orch`: what is done to an instance.
    static func letter(_ signal: Signal) -> Character {
        switch signal {
        case .terminate: "T"
        case .interrupt: "I"
        case .hangup: "H"
        case Signal(number: 3): "Q"
        case Signal(number: 10): "U"
        default: "?"
        }
    }
    static let launch: Character = "L"
    static let kill: Character = "K"
    /// A step of the ladder that is not a signal: a command, a request, text on standard input.
    static let step: Character = "S"

    /// A hook is a process of its own, with rows of its own: `web/pre_start`. One without a `world` row works at once.

    /// An errand: its reload. One of an instance with a `world` row goes on until a letter ends it, or its time is over.
    static let errand: Character = "R"

    /// What it has handed over is closed.
    static let dropStored: Character = "D"

    /// `heard`: who a signal went to: main, group or tree.
    static func letter(_ recipient: StopSpec.Recipient) -> Character {
        switch recipient {
        case .main: "m"
        case .group: "g"
        case .tree: "t"
        }
    }

    /// `asked`: a probe was asked.
    static func letter(_ kind: ProbeKind) -> Character {
        switch kind {
        case .startup: "S"
        case .readiness: "R"
        case .liveness: "L"
        }
    }

    /// `asked`: what its tree uses was looked at.
    static let look: Character = "M"

    /// `asked`: the same of what is no service, in the row of its name: `tcp://db:5432`. Its `world` row says with `g`, `p` and `d` what is
    /// answered from there on; before it nothing is there.
    static let outside: Character = "A"

    /// `phases`: where the instance stands at the end of the column; `-` when it is not there, `=` while no daemon is.
    static func letter(_ phase: Phase) -> Character {
        switch phase {
        case .idle: "i"
        case .waiting: "w"
        case .backoff: "b"
        case .starting: "s"
        case .running: "u"
        case .ready: "r"
        case .unhealthy: "n"
        case .reloading: "l"
        case .stopping: "p"
        case .done: "d"
        case .failed: "f"
        case .stuck: "k"
        }
    }

    /// `phases` while there is no daemon.
    static let nobodyKnows: Character = "="

    /// `daemon`: what happens to the daemon.
    static let daemon: [(letter: Character, meaning: String, fact: DaemonFact)] = [
        ("-", "it lives", .lives),
        ("✝", "it dies at the end of the column's turn; the next one wakes in the first column that is not `=`", .dies),
        ("b", "it dies just before the first thing that it would do to a process: that is lost", .diesBefore),
        ("a", "it dies right after the first thing that it did to a process: the rest is lost", .diesAfter),
        ("=", "there is none", .isDead),
        ("B", "the machine boots: nothing lives, and what the run directory held is gone", .boots),
    ]
}

/// What one letter of a `world` row means.
enum WorldFact: Equatable {
    case nothing, isSlow, failsToLaunch, isScarce
    case ready, well, sick, unasked, reloading, lateReady
    case says(Notice)
    case exits(Exit, leavesOthers: Bool)
    case emptied, isDeep, stepIsBroken
    case errandWorks, errandFails
}

/// What one letter of a `daemon` row means.
enum DaemonFact: Equatable { case lives, dies, diesBefore, diesAfter, isDead, boots }
