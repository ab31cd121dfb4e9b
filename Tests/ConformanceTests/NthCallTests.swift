// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// The Nth system call of a kind fails, for N = 1, 2, … until a turn of commands, ends and rotations passes untouched. Whoever can't go
/// on says why; nothing crashes, and nothing that was acknowledged is lost.
@Suite(.serialized) struct NthCallTests {
    /// A kind of calls (Tests/fault-shim) and how they fail.
    struct Kind: CustomTestStringConvertible, Sendable {
        var program: String
        var name: String
        var code: Int32
        var testDescription: String { "\(program) \(name) \(code)" }
    }

    static let kinds =
        [
            ("open", EMFILE), ("create", ENOSPC), ("write", ENOSPC), ("write", EIO), ("fsync", EIO), ("rename", ENOSPC),
            ("mkdir", ENOSPC), ("splice", EIO), ("ftruncate", EIO), ("unlink", EIO), ("pidfd", EMFILE),
            ("pipe", EMFILE),
            ("memfd", ENOMEM), ("epoll_ctl", ENOMEM), ("accept", EMFILE), ("sendmsg", ENOBUFS),
        ].map { Kind(program: "orchd", name: $0.0, code: $0.1) }
        + [("pipe", EMFILE), ("socket", EMFILE), ("fork", EAGAIN), ("sendmsg", ENOBUFS), ("epoll_ctl", ENOMEM)].map {
            Kind(program: "orch-keeper", name: $0.0, code: $0.1)
        }

    @Test(arguments: kinds) func aCallThatFailsCostsNothing(kind: Kind) throws {
        let place = try Workplace(shim: .calls)
        let day = Day(place, packs: false)
        try day.begin()
        let keeper = try place.keeper()
        var (number, failed) = (1, 0)
        while try place.fails(kind, number, during: { try day.turn() }) {
            failed += 1
            number += Self.step(after: number)
        }
        // And while a daemon takes over.
        number = 1
        while try place.fails(kind, number, during: { try day.insist("daemon", "restart") }) {
            failed += 1
            number += Self.step(after: number)
        }
        print("\(kind.testDescription): \(failed) failures")
        #expect(failed > 0, "none was ever made")
        #expect(try place.keeper() == keeper)
        let log = contents(place.home + "/state/orchd.log")
        #expect(!log.contains("was killed by signal") && !log.contains("Fatal error"), "\(log.suffix(2_000))")
        try day.end(mayForget: false)
    }

    /// Every one with ORCH_EVERY_CALL, else ever fewer of the later ones.
    private static func step(after number: Int) -> Int {
        unsafe getenv("ORCH_EVERY_CALL") == nil ? max(1, number / 2) : 1
    }
}

extension Workplace {
    /// Whether a call failed meanwhile.
    func fails(_ kind: NthCallTests.Kind, _ number: Int, during turn: () throws -> Void) throws -> Bool {
        let path = home + "/fault"
        let text = "\(kind.program) \(kind.name) \(kind.code) \(number) \(Int32.random(in: 1 ..< .max))\n"
        try write(text, to: "../fault.new")
        guard unsafe rename(path + ".new", path) == 0 else { throw Broken("rename: \(errno)") }
        do { try turn() } catch { throw Broken("\(kind.testDescription), call \(number): \(error)") }
        return unsafe unlink(path) != 0
    }
}
