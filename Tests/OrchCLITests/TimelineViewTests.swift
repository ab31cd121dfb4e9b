// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// The last start of a stack, told from what happened.
@Suite struct TimelineViewTests {
    private static func at(_ seconds: Double) -> WallTime {
        ScriptedPlatform.start + .nanoseconds(Int64((seconds - 100) * 1e9))
    }

    private static func line(
        _ seconds: Double, _ service: String?, _ kind: Occurrence.Kind, _ cause: String = "", stack: String = "shop"
    ) -> Occurrence {
        let id = service.map { InstanceID(service: ServiceID(stack: stack, service: $0)) }
        return Occurrence(time: at(seconds), stack: stack, service: service, instance: id, kind: kind, cause: cause)
    }

    private static let instances: [InstanceStatus] = [
        .sample("api", .ready), .sample("db", .ready), .sample("job", .backoff),
    ]

    /// An apply that started three, one that changed nothing, and a crash afterwards.
    private static let story = [
        line(-5, "db", .launching, "of a former life"),
        line(0, nil, .applied, "applied by ada"),
        line(0, "db", .launching, "wanted"), line(0, "api", .waiting, "waiting for db to be ready"),
        line(0, "job", .launching, "wanted"), line(0.1, "db", .started), line(0.5, "job", .exited),
        line(0.5, "job", .backoff, "exit 1"),
        line(2, "db", .ready), line(2, "api", .launching, "db became ready"), line(2.5, "job", .launching, "again"),
        line(3, "other", .launching, "not of this stack", stack: "else"),
        line(3, "job", .failed, "gave up"), line(4, "api", .ready),
        line(50, "api", .exited), line(51, "api", .launching), line(52, "api", .ready),
        line(60, nil, .applied, "nothing changed"),
    ]

    private func platform(_ occurrences: [Occurrence]) -> ScriptedPlatform {
        let platform = ScriptedPlatform { command in
            switch command {
            case .status: [.reply(.status([.shop(Self.instances)]))]
            case .events: occurrences.map { .reply(.occurrence($0)) } + [.reply(.end)]
            default: []
            }
        }
        return platform
    }

    @Test func whoStartedWhenAndWaitedForWhom() {
        let platform = platform(Self.story)
        #expect(run("timeline", on: platform) == .success)
        #expect(
            platform.output == """
                shop  began 09:03:20.000  applied by ada

                     0s                                  4.0s
                api  ····················░░░░░░░░░░░░░░░░░░░░  ready after 4.0s  2.0s waiting for db to be ready
                db   ░░░░░░░░░░░░░░░░░░░░████████████████████  ready after 2.0s
                job  ░░░░░~~~~~~~~~~~~~~~~~~~~░░░░░××××××××××  failed after 3.0s, 2 launches

                · waiting  ~ backoff  ░ starting  █ ready  × failed

                """, "\(platform.output)")
    }

    @Test func itIsToldAsData() throws {
        let platform = platform(Self.story)
        #expect(run("timeline shop --json", on: platform) == .success)
        let value = try JSON.parse(platform.output)
        #expect(value["because"] == "applied by ada")
        let rows = value["instances"]?.array ?? []
        #expect(rows.map { $0["end"]?.string ?? "" } == ["ready", "ready", "failed"])
        #expect(rows[2]["launches"] == 2 && rows[2]["spans"]?.array?.count == 3)
    }

    @Test func whatIsUnderWayHasNoEnd() {
        let story = StartStory(
            stack: "shop", [Self.line(0, nil, .applied), Self.line(0, "api", .waiting, "waiting for db")],
            instances: Self.instances, now: Self.at(9))
        #expect(story.parts.count == 1 && story.parts[0].end == nil && story.to == Self.at(9))
        let text = StartText(story: story, time: TimeText(now: Self.at(9), localOffset: { _ in .zero }), width: 90)
        #expect(text.lines().contains { $0.text.contains("waiting still") })
    }

    /// What it waited for at first was there at once; what came last is told.
    @Test func theWaitIsForWhatCameLast() {
        var api = ServiceSpec(name: "api", command: .exec(["a"]), workingDirectory: "/")
        api.dependsOn = [Dependency(on: "db"), Dependency(on: "job", condition: .succeeded)]
        let story = [
            Self.line(0, nil, .applied), Self.line(0, "api", .waiting, "waiting for db"),
            Self.line(0, "db", .launching),
            Self.line(1, "db", .ready), Self.line(1, "job", .launching), Self.line(3, "job", .done),
            Self.line(3, "api", .launching),
            Self.line(4, "api", .ready),
        ]
        func waited(_ occurrences: ArraySlice<Occurrence>) -> String? {
            StartStory(
                stack: "shop", definition: Stack(name: "shop", services: [api]), Array(occurrences),
                instances: Self.instances,
                now: Self.at(9)
            ).parts.first { $0.label == "api" }?.waitedFor
        }
        #expect(waited(story[...]) == "job")
        #expect(waited(story[..<5]) == "job", "it waits still")
    }

    @Test func nothingKnownIsSaid() {
        let platform = platform([])
        #expect(run("timeline", on: platform) == .success)
        #expect(platform.output == "Nothing is known of a start of shop.\n")
        platform.isDaemonThere = false
        #expect(run("timeline shop", on: platform) == .daemon)
    }

    @Test func thePictureIsWellFormed() {
        let platform = platform(Self.story)
        #expect(run("timeline --format svg", on: platform) == .success)
        #expect(MarkupCheck.flaw(in: platform.output) == nil)
        #expect(platform.output.contains(">api</text>") && platform.output.contains("waiting for db to be ready"))
    }
}
