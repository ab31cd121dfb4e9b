// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What the oracle remembers. It looks only at what a turn touched.
struct Watch {
    var violations: [String] = []
    /// Outputs and writes of this turn.
    var deedsOfTurn = 0
    /// Seats that this turn was about, each possibly more than once.
    private(set) var touched: [Int] = []
    /// Clients that were heard in this turn.
    var clients: [ClientID] = []
    /// Revisions that were saved in this turn; without a digest: saved as leaving.
    var saved: [(stack: String, revision: Digest?)] = []
    /// Launches whose end nobody could tell.
    var lost: Set<LaunchID> = []
    /// Of scheduled tasks.
    var runs: [InstanceID: WatchedRuns] = [:]
    /// The latest time at which a run was decided.
    var latestWall = WallTime(nanoseconds: .min)
    /// The clock was set back: instants that had their runs come again, and have none.
    var wasSetBack = false
    /// Launches of scheduled tasks that came to nothing: lacking, lost or never made.
    var lostRuns: [InstanceID: Int] = [:]
    /// A write has failed: the disk may not say what the daemon holds true.
    var isDiskBehind = false
    var hooks = WatchedHooks()
    /// Ends that history does not know yet.
    var owed: [LaunchID: OwedEnd] = [:]
    /// What history knows of each launch.
    var startsTold: Set<LaunchID> = []
    var endsTold: Set<LaunchID> = []
    var highestOrdered: UInt64 = 0
    /// Of the launch that is about to be ordered.
    var definition: Digest?
    var lastInstant = Instant.zero
    var turnsAtInstant = 0
    /// Questions about what is no launch that are open, by daemon and name; and when each was last found to be there.
    var asked: Set<String> = []
    var seenAt: [String: Instant] = [:]
    /// Instances that the end of one of them holds back.
    var halted: Set<InstanceID> = []
    /// Instances that stopped their stacks in this turn, which a revision of the same turn brings back.
    var pastHalts: Set<InstanceID> = []
    /// When somebody last asked for something that may start what had ended: of each stack, and of all.
    var commandedAt: [String: Instant] = [:]
    var allCommandedAt = Instant.zero
    /// When somebody last asked for a restart in each stack.
    var restartAskedAt: [String: Instant] = [:]
    /// Whose end stopped each stack last.
    var halts: [String: Halt] = [:]
    /// When notes last were lost: torn, without room, or gone with a boot or a keeper.
    var runLostAt = Instant.zero
    /// Commands that reached the daemon as a whole in this turn.
    var commandsOfTurn = 0
    /// Requests that have reached the daemon as a whole so far.
    var arrived = 0
    /// What was accepted in this turn, with its place in the order of arrival.
    var acceptedOfTurn: [(order: Int, question: Question)] = []
    /// What somebody asked in this turn to have sent, and what was sent to whom.
    var signalsAsked: [(target: Target, signal: Signal)] = []
    var signalsSent: [(instance: InstanceID, signal: Signal)] = []
    /// What somebody asked in this turn to have reloaded.
    var reloadsAsked: [Target] = []
    var signalsOwed: [(targets: [Target], signal: Signal)] = []
    /// After how many deeds of this turn each stack was taken up.
    var takenUpAfter: [String: Int] = [:]
    /// When the daemon that runs woke up.
    var wokenAt = Instant.zero
    /// A wake-up came late, or the machine slept.
    var wasEverAway = false
    /// When each stack that has been hurried goes without order.
    var hurriedBy: [String: Instant] = [:]
    /// When something last was to stop the whole of a stack, even if it is wanted again by the end of the turn.
    var wholeGoesAt: [String: Instant] = [:]

    mutating func touch(_ seat: Int) {
        if touched.last != seat { touched.append(seat) }
    }

    mutating func endTurn() {
        deedsOfTurn = 0
        commandsOfTurn = 0
        acceptedOfTurn.removeAll(keepingCapacity: true)
        reloadsAsked.removeAll(keepingCapacity: true)
        signalsAsked.removeAll(keepingCapacity: true)
        signalsOwed.removeAll(keepingCapacity: true)
        signalsSent.removeAll(keepingCapacity: true)
        takenUpAfter = [:]
        touched.removeAll(keepingCapacity: true)
        clients.removeAll(keepingCapacity: true)
        saved.removeAll(keepingCapacity: true)
        pastHalts = []
    }
}

/// What the oracle knows of one launch, from what happened and what the daemon was told; never from what the fleet concluded.
struct WatchedLaunch {
    struct Tally {
        enum Verdict { case unknown, passing, failing }
        var verdict = Verdict.unknown
        var successes = 0
        var failures = 0
        /// What the ledger says of it, and of the answers in a row against it.
        var noted = Verdict.unknown
        var notedTally = 0
        /// The machine was away: the failure that would have turned the verdict may have been left out, once.
        var isDoubtful = false
        var wasDoubtful = false
        /// The question that was asked last, and the last one that a redefined probe has made void.
        var asked: UInt64 = 0
        var voidThrough: UInt64 = 0
    }
    /// The definition that it runs; empty text's digest until it is known.
    var definition: Digest
    /// It is noted that it has executed.
    var isStartNoted = false
    var hasSaidReady = false
    var wasReady = false
    var isReadyNoted = false
    /// Since when, by that note: its watchdog is asked for from there on.
    var readySince: Instant?
    /// Nobody need hear again that it is ready.
    var isSpeechNoted = false
    var startup = Tally()
    var readiness = Tally()
    var liveness = Tally()
    /// The step of the ladder that was noted last.
    var step = -1
    /// The daemon that noted it.
    var stepBy = 0
    /// When its ladder began: in which batch, after how many deeds of its turn.
    var stopBegan: (batch: Int, deed: Int)?
    /// Why it began.
    var motive: StopMotive?
    /// By then it is to be killed if it still lives, as the daemon of this number was told.
    var killBy: (at: Instant, daemon: Int)?
    /// Its ladder began while its main process lived.
    var wasStopped = false
    var killedBy: Int?
    /// The daemon was told that it uses more than it may.
    var isBeyondLimit = false
    /// One of the daemons was.
    var wasBeyondLimit = false
    /// Its place was gone when a daemon woke up.
    var isStray = false
    /// Somebody asked for a reload that has not begun; a note says so.
    var owesReload = false
    var isReloadNoted = false
    /// The config files that it has taken up, and those with which its last reload failed.
    var configuration: Digest?
    var refused: Digest??

    init(_ definition: Digest) { self.definition = definition }

    subscript(kind: ProbeKind) -> Tally {
        get {
            switch kind {
            case .startup: startup
            case .readiness: readiness
            case .liveness: liveness
            }
        }
        set {
            switch kind {
            case .startup: startup = newValue
            case .readiness: readiness = newValue
            case .liveness: liveness = newValue
            }
        }
    }

    /// Another daemon knows only what was noted.
    mutating func adopted() {
        for kind in ProbeKind.allCases {
            let noted = self[kind].noted
            let tally = self[kind].notedTally
            self[kind] = Tally(
                verdict: noted, successes: max(0, tally), failures: max(0, -tally), noted: noted, notedTally: tally)
        }
        wasReady = isReadyNoted
        isBeyondLimit = false
        owesReload = isReloadNoted
        hasSaidReady = isReadyNoted || isSpeechNoted
    }
}

/// What the machine tells the oracle.
extension Machine {
    /// Something new is known of a launch.
    func learnt(_ place: Int) {
        guard let process = processes[place] else { return }
        watch.touch(process.seat)
        guard !process.watched.wasReady, process.isMainAlive, process.watched.step < 0, isDaemonAlive else { return }
        guard let spec = specNow(of: process) else { return }
        if spec.ready != nil, !process.watched.hasSaidReady { return }
        for kind in [ProbeKind.startup, .readiness]
        where spec.health[kind] != nil && process.watched[kind].verdict != .passing { return }
        processes[place]?.watched.wasReady = true
    }

    /// The daemon gets an answer.
    func counted(_ place: Int, _ kind: ProbeKind, _ round: UInt64, _ result: ProbeResult) {
        guard isDaemonAlive, let process = processes[place], process.isMainAlive, process.watched.step < 0,
            let probe = specNow(of: process)?.health[kind]
        else { return }
        var tally = process.watched[kind]
        guard round > tally.voidThrough else { return }
        tally.isDoubtful = false
        switch result {
        case .success:
            tally.successes += 1
            tally.failures = 0
            tally.wasDoubtful = false
            if tally.successes >= probe.successThreshold { tally.verdict = .passing }
        case .failure:
            tally.failures += 1
            tally.successes = 0
            if tally.failures >= probe.failureThreshold, tally.verdict != .failing {
                if kind != .readiness, wasAway, !tally.wasDoubtful {
                    tally.isDoubtful = true
                    tally.wasDoubtful = true
                } else {
                    tally.verdict = .failing
                }
            }
        case .unasked: break
        }
        processes[place]?.watched[kind] = tally
        processes[place]?.newsIn = batch
        learnt(place)
    }

    /// A revision takes the place of another: probes that it redefines start anew.
    func revised(from old: AppliedStack, to new: AppliedStack) {
        for place in processes.indices {
            guard let process = processes[place], process.order.instance.service.stack == new.request.stack.name,
                seats[process.seat].former != process.launch,
                let before = spec(of: process, by: old), let after = spec(of: process, by: new)
            else { continue }
            for kind in ProbeKind.allCases where before.health[kind] != after.health[kind] {
                let tally = process.watched[kind]
                // What the ledger says of it stands until a note says otherwise: the daemon may die before it writes one.
                processes[place]?.watched[kind] = WatchedLaunch.Tally(
                    verdict: tally.verdict == .failing ? .unknown : tally.verdict, noted: tally.noted,
                    notedTally: tally.notedTally, asked: tally.asked, voidThrough: tally.asked)
            }
            watch.touch(process.seat)
        }
    }

    /// What a launch is probed by when this is what is applied.
    func spec(of process: MachineProcess, by applied: AppliedStack) -> ServiceSpec? {
        let name = process.order.instance.service.service
        let rollout = applied.rollouts.first { $0.service == name }
        if let previous = rollout?.previous, previous.definition == process.watched.definition { return previous.spec }
        return applied.request.stack.service(name)
    }

    func specNow(of service: ServiceID) -> ServiceSpec? {
        if let applied = believed[service.stack] { return applied.request.stack.service(service.service) }
        let stacks = disk.state.stacks
        return place(of: service.stack, in: stacks).flatMap { stacks[$0].request.stack.service(service.service) }
    }

    /// One look at the disk answers for the update and for the definition.
    func specNow(of service: ServiceID, running definition: Digest) -> ServiceSpec? {
        let stacks = disk.state.stacks
        let found = place(of: service.stack, in: stacks)
        if let found, !stacks[found].rollouts.isEmpty,
            let previous = stacks[found].rollouts.first(where: { $0.service == service.service })?.previous,
            previous.definition == definition
        {
            return previous.spec
        }
        if let applied = believed[service.stack] { return applied.request.stack.service(service.service) }
        return found.flatMap { stacks[$0].request.stack.service(service.service) }
    }

    /// The revision that is on the disk.
    func stackNow(_ name: String) -> AppliedStack? { stackPlace(name).map { disk.state.stacks[$0] } }

    private func stackPlace(_ name: String) -> Int? { place(of: name, in: disk.state.stacks) }

    private func place(of name: String, in stacks: [AppliedStack]) -> Int? {
        for place in stacks.indices where stacks[place].request.stack.name == name { return place }
        return nil
    }

    /// What only a new process takes up, of the service as it is on the disk.
    func definitionNow(of service: ServiceID) -> Digest? {
        let stacks = disk.state.stacks
        return place(of: service.stack, in: stacks).flatMap {
            stacks[$0].request.stack.service(service.service)?.definitionDigest
        }
    }

    /// Whether the disk and what was commanded want the instance up.
    func isWanted(_ id: InstanceID) -> Bool {
        let stacks = disk.state.stacks
        guard !isShuttingDown, !watch.halted.contains(id), let place = place(of: id.service.stack, in: stacks),
            !stacks[place].isLeaving,
            let spec = stacks[place].request.stack.service(id.service.service), id.replica <= spec.replicas
        else { return false }
        switch departures.first(where: { $0.instance == id })?.kind {
        case .stopped: return false
        case .started: return true
        case .scaled: return true
        case nil: return spec.enabled
        }
    }
}
