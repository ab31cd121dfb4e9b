// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
public import OrchModel

/// Many services and a machine that answers at once, for asking what size costs. The machine itself does the same work for each event,
/// however many services there are, so that what grows is the mind's.
public struct LargeFleet {
    /// Who needs whom.
    public enum Shape: String, Sendable, CaseIterable {
        /// Each needs the one before.
        case chain
        /// All need the first.
        case manyNeedOne
        /// The last needs all the others.
        case oneNeedsMany
        /// Threes of a kind that need each other in a row, and nobody else: a stack as people write it, many times.
        case threes
    }

    public private(set) var fleet: Fleet
    public private(set) var now: Moment
    /// Launches so far, for each service, in the order of the manifest.
    public private(set) var launchCounts: [Int]
    /// Places of the services in the order in which they were launched, and told to stop, since the last `forgetOrder`.
    public private(set) var launched: [Int] = []
    public private(set) var stopped: [Int] = []
    public let request: ApplyRequest
    private var places: [ServiceID: Int] = [:]
    /// An index of what lives.
    private var alive: [LaunchID: Int] = [:]
    private var launches: [LaunchID?]
    private var answers: [Event] = []
    private var notes: [LaunchNote] = []
    private var stored: [AppliedStack] = []

    public init(_ shape: Shape, count: Int) {
        request = ApplyRequest(
            stack: Stack(name: "s", services: Self.services(shape, count)), manifestPath: "/s/orch.yaml")
        launchCounts = Array(repeating: 0, count: count)
        launches = Array(repeating: nil, count: count)
        now = Moment(
            instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))
        fleet = Fleet(recovering: Recovery(), at: now)
        for (place, spec) in request.stack.services.enumerated() {
            places[ServiceID(stack: "s", service: spec.name)] = place
        }
    }

    private static func services(_ shape: Shape, _ count: Int) -> [ServiceSpec] {
        // Names sort as numbers do.
        let names = (0..<count).map { "s\(1_000_000 + $0)" }
        return names.indices.map { place in
            var spec = ServiceSpec(name: names[place], command: .exec(["/bin/x"]), workingDirectory: "/")
            spec.restart.jitter = 0
            let needs: [String] =
                switch shape {
                case .chain: place == 0 ? [] : [names[place - 1]]
                case .manyNeedOne: place == 0 ? [] : [names[0]]
                case .oneNeedsMany: place == count - 1 ? Array(names[..<place]) : []
                case .threes: place % 3 == 0 ? [] : [names[place - 1]]
                }
            spec.dependsOn = needs.map { Dependency(on: $0) }
            return spec
        }
    }

    public var aliveCount: Int { alive.count }

    /// Applies the manifest and lets all come up.
    public mutating func start() throws(Refusal) {
        let applied = try fleet.admit(request, at: now)
        stored = [applied]
        tell(.commanded(.apply(applied)))
    }

    public mutating func command(_ order: Order) {
        if case .down(let name, _) = order, let leaving = fleet.leaving(stack: name) { stored = [leaving] }
        tell(.commanded(order))
    }

    /// The main process of a service ends, and its whole tree; then its back-off passes and it is up again.
    public mutating func crash(_ place: Int) {
        guard let launch = launches[place] else { return }
        end(launch, .code(1))
        run()
        guard let deadline = fleet.deadline else { return }
        now = Moment(instant: deadline, wall: now.wall + (deadline - now.instant))
        run()
    }

    /// The daemon dies and another one takes over what lives.
    public mutating func replaceDaemon() {
        var recovery = Recovery()
        recovery.isNewBoot = false
        recovery.stacks = stored
        recovery.notes = notes
        recovery.nextLaunch = fleet.nextLaunch
        recovery.survivors = alive.keys.sorted().map { Survivor(launch: $0, pid: 1, hasExecuted: true) }
        fleet = Fleet(recovering: recovery, at: now)
        run()
    }

    public mutating func forgetOrder() {
        launched = []
        stopped = []
    }

    private mutating func tell(_ event: Event) {
        answers.append(event)
        run()
    }

    /// Until nothing follows any more at this instant.
    private mutating func run() {
        repeat {
            let events = answers
            answers = []
            for event in events { fleet.observe(event, at: now) }
            for effect in fleet.reconcile(at: now) { perform(effect) }
        } while !answers.isEmpty
    }

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .launch(let order):
            let place = places[order.instance.service] ?? 0
            launchCounts[place] += 1
            launched.append(place)
            launches[place] = order.launch
            alive[order.launch] = place
            answers.append(.launched(order.launch, pid: 1, ports: [], tracking: "cgroup"))
        case .signal(let launch, let signal, _): end(launch, .signal(signal, coreDumped: false))
        case .kill(let launch): end(launch, .signal(.kill, coreDumped: false))
        case .note(let note): notes.append(note)
        case .probe, .ask, .runStep, .run, .endErrand, .release, .endProbes, .relog, .rename, .keepUpdates, .mark,
            .readZone, .sockets, .dropStored, .watch, .measure, .measureHost, .react, .record, .keep, .goBack, .forget:
            break
        }
    }

    private mutating func end(_ launch: LaunchID, _ exit: Exit) {
        guard let place = alive.removeValue(forKey: launch) else { return }
        stopped.append(place)
        answers.append(.exited(launch, exit))
        answers.append(.emptied(launch))
    }
}
