// SPDX-License-Identifier: Apache-2.0

import OrchModel
import Testing

@Suite struct FieldDifferenceTests {
    private let plain = ServiceSpec(name: "web", command: .exec(["serve"]), workingDirectory: "/srv")

    private func change(_ edit: (inout ServiceSpec) -> Void) -> [FieldChange] {
        var edited = plain
        edit(&edited)
        return ServiceSpec.changes(from: plain, to: edited)
    }

    @Test func aFieldThatLeavesItsDefaultShowsThatDefault() {
        #expect(
            change { $0.restart.delay = .seconds(1) } == [
                FieldChange(path: "restart.delay", from: "200ms", to: "1s", fate: .live)
            ])
        #expect(
            change { $0.logging.rotate.keep = 9 } == [
                FieldChange(path: "logging.rotate.keep", from: 5, to: 9, fate: .live)
            ])
        #expect(change { $0.replicas = 2 } == [FieldChange(path: "replicas", from: 1, to: 2, fate: .live)])
    }

    @Test func environmentIsComparedByName() {
        let changes = change { $0.environment = [EnvironmentEntry("PORT", "80"), EnvironmentEntry("a.b", "x")] }
        #expect(
            changes == [
                FieldChange(path: "environment.PORT", from: nil, to: "80", fate: .restart),
                FieldChange(path: "environment.\"a.b\"", from: nil, to: "x", fate: .restart),
            ])
    }

    @Test func aNewProbeIsOneField() {
        let changes = change { $0.health.liveness = Probe(.tcp("localhost:1")) }
        #expect(changes == [FieldChange(path: "health.liveness", from: nil, to: ["tcp": "localhost:1"], fate: .live)])
    }

    @Test func onlyRewiredStreamsNeedANewProcess() {
        func fates(_ edit: (inout ServiceSpec) -> Void) -> [Fate] { change(edit).map(\.fate) }
        #expect(fates { $0.logging.stdout = .file("/a") } == [.live])
        #expect(fates { $0.logging.stdout = .append("/a") } == [.live])
        #expect(fates { $0.logging.stdout = .discard } == [.restart])
        #expect(fates { $0.logging.stderr = .merge } == [.restart])
    }

    @Test func liveFieldsLeaveTheDefinitionDigestAlone() {
        var edited = plain
        edited.restart.delay = .seconds(9)
        edited.logging.stdout = .file("/x")
        edited.stop.steps[0].wait = .seconds(1)
        edited.enabled = false
        #expect(edited.definitionDigest == plain.definitionDigest)
        edited.environment = [EnvironmentEntry("A", "1")]
        #expect(edited.definitionDigest != plain.definitionDigest)
    }

    @Test func aSealedSpecKnowsTheDigestOfWhatItSaysNow() {
        var sealed = plain
        sealed.seal()
        #expect(sealed == plain)
        #expect(sealed.definitionDigest == plain.definitionDigest)
        var edited = sealed
        edited.environment.append(EnvironmentEntry("A", "1"))
        #expect(edited.definitionDigest != plain.definitionDigest)
        edited.seal()
        edited.environment.removeLast()
        #expect(edited.definitionDigest == sealed.definitionDigest)
        edited.logging.stdout = .discard
        var unsealed = plain
        unsealed.logging.stdout = .discard
        #expect(edited.definitionDigest == unsealed.definitionDigest)
    }

    @Test func namedItemsAreComparedByNameAndOthersWhole() {
        let named = Value.differences(from: [["name": "a", "port": 1]], to: [["name": "a", "port": 2]])
        #expect(named == [FieldDifference(path: "a.port", from: 1, to: 2)])
        let whole = Value.differences(from: ["l": [1, 2]], to: ["l": [1, 3]])
        #expect(whole == [FieldDifference(path: "l", from: [1, 2], to: [1, 3])])
    }
}
