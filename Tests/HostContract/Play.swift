// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// One case on its stage: does things, hears everything, and compares the story of each launch with what it should be.
final class Play {
    let stage: any Stage
    /// All that the present daemon's host has said, in order.
    private(set) var heard: [Input] = []
    private var expected: [LaunchID: [Fact]] = [:]
    /// Nothing takes so long.
    static let patience = Duration.seconds(20)
    /// The launch that ends when everything before it has been told.
    private static let last = LaunchID(1_000)

    init(_ stage: any Stage) { self.stage = stage }

    // MARK: Doing

    func perform(_ effects: Effect...) { for effect in effects { stage.perform(.effect(effect)) } }

    func order(_ launch: LaunchID, _ specimen: Specimen = .steady) -> Effect {
        .launch(stage.order(launch, specimen))
    }

    /// Launches it, and goes on when it is there as a whole.
    func begin(_ launch: LaunchID, _ specimen: Specimen = .steady) throws {
        perform(order(launch, specimen))
        try expect(launch, [.launched])
        try stage.awaitBirth(of: launch, specimen)
    }

    func ask(
        _ launch: LaunchID, round: UInt64, _ specimen: Specimen = .steady, timeout: Duration = Play.patience,
        runner: UInt64? = nil
    ) {
        var probe = Probe(stage.question(specimen))
        probe.timeout = timeout
        perform(.probe(launch, .readiness, round: round, probe, runner: LaunchID(runner ?? 100 + round)))
    }

    /// Its command is that of a step.
    func run(
        errand runner: UInt64, of launch: LaunchID, _ specimen: Specimen = .steady, limit: Duration = Play.patience
    ) {
        guard case .command(let command) = stage.step(specimen) else { return }
        perform(.run(Errand(launch: launch, runner: LaunchID(runner), command: command, limit: limit)))
    }

    func run(
        step: Int, of launch: LaunchID, _ specimen: Specimen = .steady, limit: Duration = Play.patience,
        runner: UInt64? = nil
    ) {
        let runner = LaunchID(runner ?? UInt64(200 + step))
        perform(.runStep(launch, step: step, stage.step(specimen), runner: runner, limit: limit))
    }

    func strike(_ launch: LaunchID, _ exit: Exit = .code(0)) { stage.strike(launch, exit) }

    /// What was expected of the former daemon is settled; the next one's stories begin anew.
    func changeDaemon(torn: LaunchNote? = nil, meanwhile: () -> Void = {}) throws -> Recovery {
        heard = []
        expected = [:]
        return try stage.changeDaemon(torn: torn, meanwhile: meanwhile)
    }

    // MARK: Hearing

    func story(of launch: LaunchID) -> [Fact] {
        heard.compactMap { input in
            guard case .event(let event) = input, let (of, fact) = event.fact, of == launch else { return nil }
            return fact
        }
    }

    /// The story of the launch so far. That nothing more comes is seen at the end of the case.
    func expect(_ launch: LaunchID, _ facts: [Fact]) throws {
        try until("the story of \(launch.number) to be \(facts)") { story(of: launch).count >= facts.count }
        guard story(of: launch) == facts else {
            throw Breach("the story of \(launch.number) should be \(facts), and is \(story(of: launch))")
        }
        expected[launch] = facts
    }

    /// The story of the launch as it is must be all of it.
    func accept(_ launch: LaunchID) { expected[launch] = story(of: launch) }

    func until(_ what: String, _ isSo: () throws -> Bool) throws {
        let end = stage.now.instant + Self.patience
        while try !isSo() {
            guard stage.now.instant < end else { throw Breach("waited in vain for \(what); heard \(heard)") }
            heard += stage.wait(until: end)
        }
    }

    /// Waits for what no input tells.
    func watch(_ what: String, _ isSo: () throws -> Bool) throws {
        let end = stage.now.instant + Self.patience
        while try !isSo() {
            guard stage.now.instant < end else { throw Breach("waited in vain for \(what); heard \(heard)") }
            heard += stage.wait(until: stage.now.instant + .milliseconds(5))
        }
    }

    func living(_ count: Int) throws {
        do { try watch("\(count) living processes") { stage.living == count } } catch {
            throw Breach("\(count) processes should live, and \(stage.living) do")
        }
    }

    /// What the answer to that question or step said.
    func words(of launch: LaunchID) -> String {
        for case .event(let event) in heard.reversed() {
            switch event {
            case .probed(launch, _, _, .failure(let words)), .probed(launch, _, _, .unasked(let words)): return words
            case .stepEnded(launch, _, let fault?), .errandEnded(launch, _, let fault?): return fault.text
            case .commanded, .launched, .launchFailed, .exited, .emptied, .drained, .notified, .probed, .stepEnded,
                .errandEnded, .survivorsSeen, .answered, .changed, .reacted, .measured, .hostMeasured, .clockSet,
                .zoneRead:
                continue
            }
        }
        return ""
    }

    /// The host was looked at, for all of these.
    func hasSeenHost(_ wanted: [HostResource]) -> Bool {
        for case .event(.hostMeasured(let readings)) in heard {
            if readings.map(\.resource) == wanted, readings.allSatisfy({ (0...1).contains($0.used ?? -1) }) {
                return true
            }
        }
        return false
    }

    /// Hears what is there already.
    func hearAll() {
        while true {
            let inputs = stage.wait(until: stage.now.instant)
            if inputs.isEmpty { return }
            heard += inputs
        }
    }

    func check(_ isSo: Bool, _ rule: @autoclosure () -> String) throws {
        guard isSo else { throw Breach(rule()) }
    }

    /// A launch comes and goes; after it nothing may be left to tell.
    func finish() throws {
        perform(order(Self.last, .brief))
        try until("the last launch's end") { story(of: Self.last).contains(.emptied) }
        for (launch, facts) in expected.sorted(by: { $0.key < $1.key }) where story(of: launch) != facts {
            throw Breach("the story of \(launch.number) should end with \(facts), and is \(story(of: launch))")
        }
    }
}
