// SPDX-License-Identifier: Apache-2.0

import OrchModel
import Testing

@Suite struct ValueRoundTripTests {
    private func expectRoundTrip<T: ValueCodable & Equatable>(_ noun: T, _ location: SourceLocation = #_sourceLocation)
        throws
    {
        #expect(try T(noun.value) == noun, sourceLocation: location)
    }

    @Test func everyNounReadsBackAsItself() throws {
        for seed in 0..<400 as Range<UInt64> { try expectRoundTrips(seed: seed) }
    }

    private func expectRoundTrips(seed: UInt64) throws {
        var generator = NounGenerator(seed: seed)
        try expectRoundTrip(generator.spec("web"))
        try expectRoundTrip(generator.request())
        try expectRoundTrip(generator.status())
        try expectRoundTrip(generator.occurrence())
        try expectRoundTrip(generator.history())
        let entry = generator.appliedRevision()
        #expect(try AppliedRevision(stored: entry.stored) == entry)
        let command: Command = generator.command()
        try expectRoundTrip(command)
        try expectRoundTrip(Refusal(.conflict, generator.text(), remedy: generator.maybe(generator.text())))
        try expectRoundTrip(
            Fault(
                step: "open", subject: generator.text(), reason: generator.text(),
                remedy: generator.maybe(generator.text())))
        try expectRoundTrip(
            Diagnostic(
                .warning, code: "x", generator.text(), at: generator.maybe(generator.position()),
                width: generator.below(9)))
        let back = RolledBack(
            from: Digest(of: [1]), to: Digest(of: [2]), reason: generator.text(),
            instance: generator.maybe(generator.status()))
        try expectRoundTrip(generator.pick([Verdict.pending, .reached, .failed(generator.text()), .rolledBack(back)]))
        let (old, new) = (generator.spec("web"), generator.spec("web"))
        let change = Change(
            .restart, "web", because: [generator.text()], fields: ServiceSpec.changes(from: old, to: new))
        try expectRoundTrip(Plan(stack: "s", revision: old.definitionDigest.hex, changes: [change]))
    }

    @Test func specsThatDifferShowADifference() {
        for seed in 0..<300 as Range<UInt64> { expectDifferences(seed: seed) }
    }

    private func expectDifferences(seed: UInt64) {
        var generator = NounGenerator(seed: seed)
        let (old, new) = (generator.spec("web"), generator.spec("web"))
        #expect(ServiceSpec.changes(from: old, to: old).isEmpty)
        let changes = ServiceSpec.changes(from: old, to: new)
        #expect(changes.isEmpty == (old == new), "seed \(seed)")
        let restarts = changes.contains { $0.fate == .restart }
        #expect(restarts == (old.definitionDigest != new.definitionDigest), "seed \(seed)")
    }

    @Test func aRichSpecIsWrittenInTheManifestsWords() throws {
        var spec = ServiceSpec(
            name: "web", command: .shell("serve", shell: CommandLine.standardShell), workingDirectory: "/srv")
        spec.environment = [EnvironmentEntry("PORT", "80")]
        spec.unset = ["DEBUG"]
        spec.dependsOn = [Dependency(on: "db", condition: .ready)]
        var request = HTTPProbe(url: "http://127.0.0.1/health")
        request.json = [JSONExpectation(path: "status", expected: "healthy")]
        spec.health.liveness = Probe(.http(request))
        spec.health.liveness?.interval = .seconds(5)
        spec.restart.delay = .seconds(1)
        spec.stop = StopSpec(steps: [.init(.signal(.interrupt, to: .group), wait: .seconds(5))])
        spec.logging.stderr = .merge
        spec.logging.rotate.keep = 300
        spec.ports = [PortSpec(port: 80)]
        let expected: Value = [
            "name": "web", "command": "serve", "working_dir": "/srv", "environment": ["PORT": "80", "DEBUG": nil],
            "depends_on": ["db": ["condition": "ready"]],
            "health": [
                "liveness": [
                    "http": ["url": "http://127.0.0.1/health", "expect": ["json": ["status": "healthy"]]],
                    "interval": "5s",
                ]
            ],
            "restart": ["delay": "1s"], "stop": ["steps": [["signal": "SIGINT", "to": "group", "wait": "5s"]]],
            "logging": ["stderr": "merge", "rotate": ["keep": 300]], "ports": [80],
        ]
        #expect(spec.value == expected)
    }

    @Test func wrongShapesNameTheirPlace() throws {
        let value: Value = [
            "name": "s", "services": ["web": ["command": "a", "working_dir": "/", "health": ["liveness": ["tcp": 3]]]],
        ]
        let error = #expect(throws: ShapeError.self) { try Stack(value) }
        #expect(error?.path == "services.web.health.liveness.tcp")
    }
}

@Suite struct TimeTextTests {
    @Test func timesAreWrittenAndReadAsRFC3339() {
        #expect(WallTime(nanoseconds: 1_769_850_300_250_999_999).rfc3339 == "2026-01-31T09:05:00.250Z")
        #expect(WallTime(nanoseconds: -1).rfc3339 == "1969-12-31T23:59:59.999Z")
        for seed in 0..<2_000 as Range<UInt64> {
            var generator = NounGenerator(seed: seed)
            let time = generator.time()
            #expect(WallTime(rfc3339: time.rfc3339) == time)
        }
    }
}
