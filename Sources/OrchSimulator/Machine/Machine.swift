// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire

/// The machine in memory under a whole daemon: kernel and keeper, run directory and disk, clients and clocks. It outlives daemons, as a
/// machine does; `SimulatedHost` and `SimulatedDisk` are what one daemon sees of it. Time jumps from one thing that comes to the next.
final class Machine {
    let scenario: Scenario
    /// The machine's own time, which never goes back.
    var clock = Instant(nanoseconds: 1_000_000_000)
    /// When it booted, by its own time; the daemon's monotonic clock counts from there.
    var bootedAt = Instant.zero
    /// Civil time minus the machine's own.
    var wallOffset: Int64 = 1_700_000_000_000_000_000
    /// Since it booted.
    var slept = Duration.zero
    var agenda = Agenda<Coming>()
    /// What the daemon hears next.
    var inbox: [Input] = []
    /// What the daemon wants to be told of.
    var watched: [ServiceID: [WatchRule]] = [:]
    var dice: SplitMix

    // Processes.
    var processes: [MachineProcess?] = []
    var freePlaces: [Int] = []
    var places: [LaunchID: Int] = [:]
    var seats: [Seat] = []
    var seatIndex: [InstanceID: Int] = [:]
    var quirks: [InstanceID: [Quirk]] = [:]
    /// From here on launches simply behave.
    var isPeaceful = false

    /// In the order in which they were launched.
    var hooks: [MachineHook] = []

    // The keeper and the run directory, which die with a boot.
    /// Open for services.
    var sockets: [ServiceID: [SocketSpec]] = [:]
    var highestLaunch: UInt64 = 0
    var isKeeperLost = false
    /// Launches that were handed to the keeper's socket in this turn.
    var unsent: [LaunchID] = []
    var ledger = RunLedger()

    var disk = DiskImage()
    /// What the daemon went back to by itself while the disk took nothing, by stack.
    var believed: [String: AppliedStack] = [:]
    /// What people did by hand, as it stands: a boot puts back what is not to outlive it.
    var departures: [Departure] = []
    /// What is no service and not there for a while: until when, by its name in the manifest.
    var absent: [String: Instant] = [:]
    var clients: [SimulatedClient] = []
    var clientPlaces: [ClientID: Int] = [:]
    var nextClient: UInt64 = 0
    /// What `apply` says on the wire, by the place of the revision.
    var written: [Int: [UInt8]] = [:]

    // The daemon that runs.
    /// Counts daemons; 0 before the first.
    var daemon = 0
    var isDaemonAlive = false
    /// Outputs and writes until it dies; nil while it is to live.
    var deedsLeft: Int?
    /// The same of the next one.
    var deedsOfNext: Int?
    var tearsLedger = false
    /// It was told to stop everything.
    var isShuttingDown = false
    var lag = Duration.zero
    /// Counts what the daemon hears at a time.
    var batch = 0
    /// Somebody asks in this batch: the daemon may have acted on what came before without having read what came after.
    var isAskedWithin = false
    /// It was asked something and told to stop everything in the same batch.
    var shutsDownWithBatch = false
    /// Since the daemon was last waiting it has slept, or wakes late.
    var wasAway = false

    // How the run goes.
    var actsLeft = 0
    /// The daemon waits for nothing, and nothing comes.
    var isAsleep = false
    /// Nothing is waited for beyond it.
    var horizon = Instant.distantFuture
    var isPastHorizon = false
    var watch = Watch()
    /// What the judge of the second act was told.
    var verdicts: [Verdict] = []
    var digest = TraceDigest()
    let keepsScore: Bool
    var score: [String] = []
    /// A rehearsal's play: it ends its acts itself, and what its audience hears is kept for it.
    var isRehearsed = false
    var heardByAudience: [Reply.Body] = []
    /// What is applied, with its places in the manifest; without it a scenario's revision stands for itself.
    var rehearsedRequest: ApplyRequest?
    /// Instances for which descriptors are held.
    var stored: Set<InstanceID> = []

    init(_ scenario: Scenario, keepsScore: Bool) {
        self.scenario = scenario
        self.keepsScore = keepsScore
        dice = SplitMix(seed: scenario.seed ^ 0x5eed)
        for quirk in scenario.quirks { quirks[quirk.instance, default: []].append(quirk) }
        actsLeft = scenario.acts.count
        if let first = scenario.acts.first { agenda.add(.act(0), at: clock + first.after) }
    }

    /// What the daemon's clocks say.
    var now: Moment {
        Moment(
            instant: Instant(nanoseconds: clock.nanoseconds - bootedAt.nanoseconds),
            wall: WallTime(nanoseconds: clock.nanoseconds &+ wallOffset), slept: slept)
    }

    func note(_ line: @autoclosure () -> String) {
        if keepsScore { score.append("\((clock - .zero).text) \(line())") }
    }

    func violate(_ rule: String) {
        note("!!! \(rule)")
        if watch.violations.count < 20 { watch.violations.append("\((clock - .zero).brief): \(rule)") }
    }
}

/// What comes by itself.
enum Coming {
    case executes(LaunchID)
    case ends(LaunchID, Exit)
    case childrenEnd(LaunchID)
    case killed(LaunchID)
    case speaks(LaunchID)
    /// It says WATCHDOG=1, if it is well, and says so again.
    case feeds(LaunchID)
    /// The answer to a question that this daemon asked in this epoch of the launch's questions.
    /// With a limit: the answer that there was none by then.
    case answers(LaunchID, ProbeKind, round: UInt64, epoch: Int, daemon: Int, limit: Duration?)
    /// The answer about something that is no launch.
    indirect case answersOutside(OutsideNeed, round: UInt64, daemon: Int)
    indirect case stepEnds(LaunchID, step: Int, Fault?, daemon: Int)
    case errandEnds(LaunchID, runner: LaunchID, Fault?, daemon: Int)
    /// It speaks of a reload: RELOADING=1, or READY=1 when it is done.
    case reloads(LaunchID, isDone: Bool)
    /// What a look found.
    case measured(ResourceQuestion, daemon: Int)
    indirect case hostMeasured([HostReading], daemon: Int)
    case drains(LaunchID, daemon: Int)
    case hookExecutes(LaunchID)
    case hookEnds(LaunchID, Exit)
    case hookDrains(LaunchID, daemon: Int)
    case act(Int)
    /// Bytes reach the daemon from a client; with them the request of this number is complete.
    case bytes(ClientID, [UInt8], completes: UInt64?)
    case diskHasRoom
    case runHasRoom
}

extension Machine {
    // MARK: Time

    /// Blocks the daemon until something comes in or its deadline is there.
    func wait(until deadline: Instant?) -> [Input] {
        unsent.removeAll(keepingCapacity: true)
        batch += 1
        isAskedWithin = false
        isAsleep = false
        wasAway = false
        let limit = deadline.map { Instant(nanoseconds: $0.nanoseconds &+ bootedAt.nanoseconds) }
        while inbox.isEmpty, isDaemonAlive {
            guard let next = Instant.soonest(limit, agenda.next) else {
                isAsleep = true
                return []
            }
            guard next <= horizon else {
                isPastHorizon = true
                return []
            }
            if lag > .zero { wasAway = true }
            pass(to: next + lag)
            lag = .zero
            happenDue()
            if let limit, clock >= limit { break }
        }
        guard isDaemonAlive else { return [] }
        let heard = inbox
        inbox = []
        return heard
    }

    /// Time passes while no daemon is there.
    func idle(for span: Duration) {
        let end = clock + span
        while let next = agenda.next, next <= end {
            pass(to: next)
            happenDue()
        }
        pass(to: end)
    }

    private func pass(to instant: Instant) {
        if instant > clock { clock = instant }
    }

    private func happenDue() {
        while let item = agenda.take(until: clock) { happen(item) }
    }

    private func happen(_ item: Coming) {
        switch item {
        case .executes(let launch): executes(launch)
        case .ends(let launch, let exit): mainEnds(launch, exit)
        case .childrenEnd(let launch): childrenEnd(launch)
        case .killed(let launch): dies(launch)
        case .speaks(let launch): speaks(launch)
        case .feeds(let launch): feeds(launch)
        case .answers(let launch, let kind, let round, let epoch, let asker, let limit):
            if asker == daemon { answers(launch, kind, round, epoch, limit) }
        case .answersOutside(let need, let round, let asker): if asker == daemon { answers(need, round) }
        case .stepEnds(let launch, let step, let fault, let asker):
            if asker == daemon { tell(.stepEnded(launch, step: step, fault)) }
        case .errandEnds(let launch, let runner, let fault, let asker):
            if asker == daemon { errandEnds(launch, runner, fault) }
        case .reloads(let launch, let isDone): reloads(launch, isDone: isDone)
        case .measured(let question, let asker): if asker == daemon { measured(question) }
        case .hostMeasured(let readings, let asker): if asker == daemon { tell(.hostMeasured(readings)) }
        case .drains(let launch, let asker): if asker == daemon { drains(launch) }
        case .hookExecutes(let launch): hookExecutes(launch)
        case .hookEnds(let launch, let exit): hookEnds(launch, exit)
        case .hookDrains(let launch, let asker): if asker == daemon { hookDrains(launch) }
        case .act(let place): act(place)
        case .bytes(let client, let bytes, let completes): arrive(bytes, from: client, completes)
        case .diskHasRoom:
            note("the disk has room again")
            disk.fault = nil
        case .runHasRoom:
            note("the run directory has room again")
            ledger.isFull = false
        }
    }

    func later(_ span: Duration, _ item: Coming) { agenda.add(item, at: clock + span) }

    // MARK: What the daemon hears and does

    func tell(_ event: Event) {
        owe(event)
        guard isDaemonAlive else { return }
        note("  \(event.summary)")
        inbox.append(.event(event))
    }

    /// Whether the daemon of this number lives to do one thing more.
    func takesDeed(_ number: Int) -> Bool {
        guard isDaemonAlive, number == daemon else { return false }
        guard let left = deedsLeft else { return true }
        guard left > 0 else {
            die()
            return false
        }
        deedsLeft = left - 1
        return true
    }

    /// The daemon is gone from one instant to the next.
    func die() {
        guard isDaemonAlive else { return }
        note("✝ the daemon dies")
        isDaemonAlive = false
        deedsLeft = nil
    }
}
