// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire
import Testing

@testable import OrchStore

@Suite struct RevisionHistoryTests {
    private let scratch = Scratch()
    private var state: String { scratch.path + "/state" }

    /// The stack with that port, applied so many seconds after the first.
    private func applied(_ port: String, after seconds: Int64) -> AppliedStack {
        var applied = sampleStack("one", port: port)
        applied.entry.appliedAt = applied.entry.appliedAt + .seconds(seconds)
        applied.entry.because = "port \(port)"
        applied.entry.take(
            Plan(stack: "one", revision: "", changes: [Change(.restart, "web", because: ["x"]), Change(.create, "db")]))
        return applied
    }

    @Test func theHistoryIsNewestFirstAndSaysWhatIsCurrent() throws {
        let store = try DiskStore(directory: state)
        let all = [applied("1", after: 0), applied("2", after: 1), applied("1", after: 2)]
        for revision in all { try store.save(revision) }
        var expected = all.reversed().map(\.entry)
        expected[0].isCurrent = true
        #expect(try store.history(of: "one") == expected)
        #expect(try DiskStore(directory: state).history(of: "one") == expected)
        #expect(try store.history(of: "two").isEmpty)
    }

    @Test func theSameEntrySavedAgainIsNoOther() throws {
        let store = try DiskStore(directory: state)
        try store.save(applied("1", after: 0))
        var again = applied("2", after: 1)
        try store.save(again)
        again.trial = Trial(
            within: .seconds(9), deadline: Instant(nanoseconds: 7), fallback: applied("1", after: 0).revision)
        again.acceptedAt = Instant(nanoseconds: 5)
        try store.save(again)
        #expect(try store.history(of: "one").count == 2)
        let loaded = try DiskStore(directory: state).load()
        #expect(loaded.stacks == [again])
        #expect(loaded.fallbacks == [applied("1", after: 0)])
        again.isLeaving = true
        try store.save(again)
        #expect(try store.history(of: "one").map(\.isCurrent) == [false, false])
    }

    @Test func aFormerRevisionIsReadAsItWasApplied() throws {
        let store = try DiskStore(directory: state)
        let first = applied("1", after: 0)
        try store.save(first)
        try store.save(applied("2", after: 1))
        #expect(try store.revision(first.revision, of: "one") == first)
        #expect(try store.revision(Digest(of: [1]), of: "one") == nil)
        Scratch.write([1, 2, 3], to: "\(state)/revisions/\(first.revision.hex).json")
        let fault = #expect(throws: Fault.self) { try store.revision(first.revision, of: "one") }
        #expect(fault?.reason.contains("damaged") == true)
    }

    @Test func aStackThatWasTakenDownKeepsItsHistory() throws {
        let store = try DiskStore(directory: state)
        let first = applied("1", after: 0)
        try store.save(first)
        try store.forget(stack: "one")
        #expect(try store.history(of: "one") == [first.entry])
        #expect(try store.load().stacks.isEmpty)
        #expect(try store.revision(first.revision, of: "one") == first)
        try store.save(applied("2", after: 1))
        #expect(try store.history(of: "one").map(\.revision) == [applied("2", after: 1).revision, first.revision])
        #expect(Scratch.names(state + "/forgotten").isEmpty)
    }

    @Test func historiesOfForgottenStacksAreBounded() throws {
        let store = try DiskStore(directory: state)
        for number in 0..<Limits.forgottenStacks + 3 {
            var stack = sampleStack("s\(number)")
            stack.entry.appliedAt = stack.entry.appliedAt + .seconds(Int64(number))
            try store.save(stack)
            try store.forget(stack: "s\(number)")
        }
        #expect(Scratch.names(state + "/forgotten").count == Limits.forgottenStacks)
        #expect(Scratch.names(state + "/revisions").count == Limits.forgottenStacks)
        #expect(try store.history(of: "s2").isEmpty && !store.history(of: "s3").isEmpty)
    }

    @Test func whatATrialMayGoBackToIsNeverCut() throws {
        let store = try DiskStore(directory: state)
        let first = applied("first", after: 0)
        try store.save(first)
        for number in 1..<Limits.revisionsPerStack + 9 {
            var next = applied("\(number)", after: Int64(number))
            next.trial = Trial(within: .seconds(9), deadline: .zero, fallback: first.revision)
            try store.save(next)
        }
        #expect(try store.history(of: "one").count == Limits.revisionsPerStack)
        #expect(try store.load().fallbacks == [first])
        #expect(Scratch.names(state + "/revisions").count == Limits.revisionsPerStack)
    }

    @Test func manyServicesOfFewCallersAreWrittenOnce() throws {
        var applied = sampleStack("one")
        let path = String(repeating: "/usr/local/bin:", count: 40)
        let services = (0..<200).map { ServiceSpec(name: "s\($0)", command: .exec(["x"]), workingDirectory: "/") }
        applied.request.stack = Stack(name: "one", services: services)
        applied.entry.revision = applied.request.stack.digest
        applied.inherited = applied.request.stack.services.enumerated().map { place, spec in
            let environment =
                place == 7 ? applied.request.inherited : [EnvironmentEntry("PATH", place == 9 ? "/x" : path)]
            return ServiceInheritance(service: spec.name, environment: environment)
        }
        let store = try DiskStore(directory: state)
        try store.save(applied)
        #expect(try store.load().stacks == [applied])
        #expect(Scratch.read(state + "/stacks/one.json").count < 3_000)
    }

    /// Working them out takes long where services are many; another release may count other fields.
    @Test func digestsOfDefinitionsAreKeptForTheSameRelease() throws {
        let applied = sampleStack("one")
        try DiskStore(directory: state).save(applied)
        let file = "revisions/\(applied.revision.hex).json"
        let document = try SealedDocument.content(of: Scratch.read(state + "/" + file))
        let own = applied.request.stack.services.map(\.definitionDigest)
        #expect(document["seals"]?["digests"]?.string == own.map(\.hex).joined())
        func digests(_ version: String, _ digests: [Digest]) throws -> [Digest] {
            let seals: Value = ["version": .string(version), "digests": .string(digests.map(\.hex).joined())]
            let others = (document.members ?? []).filter { $0.key != "seals" }
            write(.object(others + [.init("seals", seals)]), to: file)
            return try DiskStore(directory: state).load().stacks[0].request.stack.services.map(\.definitionDigest)
        }
        let noted = [Digest(of: [1]), Digest(of: [2])]
        #expect(try digests(OrchVersion.text, noted) == noted)
        #expect(try digests("0.0.9", noted) == own)
        #expect(try digests(OrchVersion.text, [noted[0]]) == own, "of one service only")
    }

    /// Positions and every service's variables in the pointer, no history; the list of revisions in the database.
    @Test func theLayoutBeforeHistoriesIsStillRead() throws {
        let (old, present) = (sampleStack("one", port: "1"), sampleStack("one", port: "2"))
        do {
            let store = try DiskStore(directory: state)
            try store.save(old)
            try store.save(present)
        }
        let pointer: Value = [
            "stack": "one", "revision": .string(present.revision.hex), "manifest_path": "/srv/one.yaml",
            "applied_at": .int(present.appliedAt.nanoseconds), "author": "me", "file_limit": .unsigned(.max),
            "inherited": [["PATH", "/bin"]], "services": ["db": [["PATH", "/usr/bin"]], "web": nil],
            "positions": [.array(["web", ["orch.yaml", 3, 3]])],
        ]
        write(pointer, to: "stacks/one.json")
        write(present.request.stack.value, to: "revisions/\(present.revision.hex).json")
        write(old.request.stack.value, to: "revisions/\(old.revision.hex).json")
        let database = try Database(path: state + "/orch.db")
        for applied in [sampleStack("one", port: "gone"), old, present] {
            try database.run(
                "INSERT INTO revisions (stack, digest, applied_at, author) VALUES ('one', ?, ?, 'me')",
                [.text(applied.revision.hex), .int(applied.appliedAt.nanoseconds)])
        }
        let store = try DiskStore(directory: state)
        #expect(try store.load().stacks == [present])
        let next = sampleStack("one", port: "3")
        try store.save(next)
        #expect(try store.history(of: "one").map(\.revision) == [next, present, old].map(\.revision))
        let found = try #require(try store.revision(old.revision, of: "one"))
        #expect(found.request.stack == old.request.stack)
        #expect(found.inherited == present.inherited)
    }

    private func write(_ content: Value, to name: String) {
        Scratch.write(SealedDocument.bytes(of: content), to: "\(state)/\(name)")
    }
}
