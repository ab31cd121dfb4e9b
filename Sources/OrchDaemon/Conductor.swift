// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel
import OrchWire

/// The whole daemon around the mind: one loop that turns what comes in into facts and commands, and what the fleet wants into deeds.
/// It blocks in `Host.wait` only, and on the disk only where an answer must be durable.
public struct Conductor<H: Host, S: Store> {
    // What is the same for every host comes first: its place in memory is known to code that serves them all.
    var fleet: Fleet
    var journal: Journal
    let identity: DaemonIdentity
    /// In order of arrival.
    var sessions: [(id: ClientID, session: Session)] = []
    /// What is applied, by stack: an index for status.
    var requests: [String: ApplyRequest] = [:]
    /// What stacks were read from, by manifest: an index.
    var origins: [String: Origin] = [:]
    private var remarks: [String]
    /// What was applied before the daemon went back by itself, by stack: an index for what is told of it.
    var withdrawn: [String: ApplyRequest] = [:]
    /// Occurrences of this turn, while somebody streams them.
    var fresh: [Occurrence] = []
    var collectsFresh = false
    /// When followers are told what was gathered for them; nil when nothing was.
    var streamDeadline: Instant?
    /// The fleet was told something since it was last asked.
    var isUnsettled = true
    /// Something may look different to followers.
    var isMoved = true
    private(set) var isShuttingDown = false
    /// The daemon is to end with this turn, and services run on.
    var isReplaced = false
    /// Who waits for the keeper to be another one.
    var upgradeAskedBy: (client: ClientID, id: UInt64)?
    /// Who waits for the rotation of logs, by its number, and the number of the last one.
    var rotationsAskedBy: [(number: UInt64, client: ClientID, id: UInt64)] = []
    var lastRotation: UInt64 = 0
    private var ending: Ending?
    var releases: HeldReleases
    var waysBack = WaysBack()
    /// History is written with this turn: the former daemon did not live to write how some launches ended, or somebody waits for a release.
    var hastensHistory = false
    /// Of the launches that were taken over, so many are told of.
    var adoptions = 0
    public internal(set) var host: H

    /// `remarks`: what the store said when it was loaded.
    public init(host: H, store: S, recovery: Recovery, remarks: [String] = [], identity: DaemonIdentity) {
        self.host = host
        self.identity = identity
        self.remarks = Array(remarks.suffix(Limits.remarks))
        journal = Journal(store: store, nextLaunch: recovery.nextLaunch)
        for applied in recovery.stacks { requests[applied.request.stack.name] = applied.request }
        releases = HeldReleases(told: recovery.told)
        let now = host.now
        fleet = Fleet(recovering: recovery, at: now)
        hastensHistory = recovery.owesEnds
        let birth =
            "version \(OrchVersion.text), pid \(identity.pid), \(recovery.survivors.count) launches taken over"
        record(Occurrence(time: now.wall, stack: "", kind: .daemonStarted, cause: birth), at: now)
        for remark in remarks { record(Occurrence(time: now.wall, stack: "", kind: .warning, cause: remark), at: now) }
    }

    /// Until the daemon ends, and why it does.
    public mutating func run() -> Ending {
        start()
        while true { if let ending = turn() { return ending } }
    }

    /// What follows from what was found; before the first turn. What former daemons had closed and did not live to release is let go
    /// all at once: where each one dies within moments, it would only grow.
    public mutating func start() {
        let now = host.now
        settle(at: now)
        tend(at: now, releasing: Int.max)
    }

    /// Waits for what comes, and does what follows from it. The reason once the daemon has ended.
    public mutating func turn() -> Ending? {
        if let ending { return ending }
        let inputs = host.wait(until: deadline)
        let now = host.now
        for input in inputs { take(input, at: now) }
        goBackDue(at: now)
        settle(at: now)
        stream(at: now)
        sendAll()
        tend(at: now)
        if isReplaced { end(.replaced, at: now) } else if isShuttingDown, fleet.isShutDown { end(.shutdown, at: now) }
        return ending
    }

    /// When something is to be done though nothing comes; nil for never.
    public var deadline: Instant? {
        Instant.soonest(
            Instant.soonest(Instant.soonest(fleet.deadline, waysBack.deadline), streamDeadline),
            Instant.soonest(journal.deadline, releases.deadline))
    }

    /// Writes down what is left to write; for a daemon that goes without being asked to.
    public mutating func flush() { journal.flush(at: host.now) }

    /// How things stand, for tests and simulations.
    public var status: [StackStatus] { fleet.status(of: nil) }
    public func process(of instance: InstanceID) -> ProcessStatus? { fleet.process(of: instance) }
    /// Clients that are connected.
    public var clientCount: Int { sessions.count }

    private mutating func take(_ input: Input, at now: Moment) {
        switch input {
        case .event(let event):
            if case .drained(let launch) = event { releases.drained(launch) }
            fleet.observe(event, at: now)
            isUnsettled = true
        case .connected(let client, let peer): connect(client, peer)
        case .received(let client, let bytes): receive(bytes, from: client, at: now)
        case .disconnected(let client): sessions.removeAll { $0.id == client }
        case .terminationRequested: shutDown("a signal asked for it", at: now)
        case .remarked(let text): remark(text, at: now)
        case .renewed(let fault): keeperRenewed(fault, at: now)
        case .rotated(let number, let files): rotated(number, files)
        }
    }

    /// Asks the fleet until it wants nothing more at this instant.
    mutating func settle(at now: Moment) {
        guard isUnsettled || fleet.deadline.map({ $0 <= now.instant }) ?? false else { return }
        isUnsettled = false
        isMoved = true
        while true {
            let effects = fleet.reconcile(at: now)
            if effects.isEmpty { return }
            journal.cover(fleet.nextLaunch, at: now)
            journal.save(effects.marks, at: now)
            for effect in effects { perform(effect, at: now) }
        }
    }

    private mutating func perform(_ effect: Effect, at now: Moment) {
        switch effect {
        case .record(let occurrence): record(occurrence, at: now)
        case .keep(let applied): journal.saveEventually(applied, at: now)
        case .goBack(let stack): goBack(stack, at: now)
        case .forget(let stack):
            requests[stack] = nil
            journal.forget(stack, at: now)
        case .keepUpdates(let stack): journal.keep(stack, fleet.kept(stack: stack), at: now)
        case .mark: break  // Saved before anything of its turn was done.
        case .release(let launch): release(launch)
        case .readZone, .sockets, .dropStored, .watch, .react, .launch, .signal, .runStep, .run, .endErrand, .kill,
            .probe, .ask,
            .endProbes, .relog, .rename, .measure, .measureHost, .note:
            host.perform(.effect(effect))
        }
    }

    mutating func record(_ occurrence: Occurrence, at now: Moment) {
        if occurrence.kind == .adopted {
            adoptions += 1
            // Daemons that die again and again must not fill the history with what has not happened.
            guard adoptions <= Limits.adoptionsTold else { return }
        }
        journal.record(occurrence, at: now)
        if collectsFresh { fresh.append(occurrence) }
    }

    private mutating func remark(_ text: String, at now: Moment) {
        if remarks.last == text { return }
        remarks.append(text)
        if remarks.count > Limits.remarks { remarks.removeFirst(remarks.count - Limits.remarks) }
        record(Occurrence(time: now.wall, stack: "", kind: .warning, cause: text), at: now)
    }

    var allRemarks: [String] { remarks + (journal.remark.map { [$0] } ?? []) }

    /// Stops everything in order and ends then.
    mutating func shutDown(_ reason: String, at now: Moment) {
        guard !isShuttingDown else { return }
        isShuttingDown = true
        record(Occurrence(time: now.wall, stack: "", kind: .daemonStopping, cause: reason), at: now)
        fleet.observe(.commanded(.shutdown), at: now)
        isUnsettled = true
    }

    /// Writes down what is left to write and ends.
    private mutating func end(_ reason: Ending, at now: Moment) {
        guard ending == nil else { return }
        sendAll()
        journal.flush(at: now)
        releaseAll(before: reason)
        ending = reason
        host.perform(.end(reason))
    }
}
