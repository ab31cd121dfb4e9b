// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// The daemon can't have the memory it asks for. Swift ends a program then, so the promise is that of any other death: services run on,
/// the next daemon goes on, what was acknowledged is there.
@Suite(.serialized) struct ShortOfMemoryTests {
    /// RLIMIT_AS, for a daemon that runs, at less and less above what it has.
    @Test func aDaemonWithoutRoomIsFollowedByTheNext() throws {
        let day = try Day(Workplace(), packs: false)
        let place = day.place
        try day.begin()
        let keeper = try place.keeper()
        var deaths = 0
        for room in [16 << 20, 1 << 20, 256 << 10, 64 << 10, 0] {
            let daemon = try place.daemon()
            try place.limitAddressSpace(of: daemon, to: place.addressSpace(of: daemon) + room)
            try day.turn()
            try day.insist("status")
            if try place.daemon() != daemon { deaths += 1 }
        }
        try place.limitAddressSpace(of: place.daemon(), to: nil)
        print("memory: \(deaths) daemons of 5 died of it")
        #expect(try place.keeper() == keeper)
        try day.end(mayForget: false)
    }

    /// malloc(3) says no once, the Nth time.
    @Test func anAllocationThatFailsCostsNothing() throws {
        let day = try Day(Workplace(shim: .memory), packs: false)
        let place = day.place
        try day.begin()
        let keeper = try place.keeper()
        let kind = NthCallTests.Kind(program: "orchd", name: "memory", code: ENOMEM)
        var failed = 0
        for number in [1, 20, 400, 3_000, 20_000] where try place.fails(kind, number, during: { try day.turn() }) {
            failed += 1
        }
        for number in [200, 6_000]
        where try place.fails(kind, number, during: { try day.insist("daemon", "restart") }) {
            failed += 1
        }
        print("memory: \(failed) of 7 allocations failed")
        #expect(failed > 3)
        #expect(try place.keeper() == keeper)
        try day.end(mayForget: false)
    }

    /// No daemon can begin for a while: they are said, services don't notice, and one serves as soon as it can.
    @Test func daemonsThatCanNotBeginHarmNobody() throws {
        let place = try Workplace()
        let rest = "{ command: [sleep, '4290'] }"
        try place.write("name: tight\nservices:\n  a: \(rest)\n  b: \(rest)\n")
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"] }
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        try place.limitAddressSpace(of: keeper, to: 24 << 20)
        kill(daemon, SIGKILL)
        let log = place.home + "/state/orchd.log"
        try place.until("three of them could not begin") {
            contents(log).split(separator: "\n").count { $0.contains("starting it again") } > 3
        }
        try place.limitAddressSpace(of: keeper, to: nil)
        try place.eventually("one serves") { try place.orch("daemon", "status").status == 0 }
        #expect(try place.rows().mapValues { $0["pid"] } == before)
        #expect(try place.keeper() == keeper)
        #expect(try place.orch("restart", "b").status == 0, "it is whole again")
        #expect(try place.pid("a") == before["a"]??.int)
        #expect(try place.end() == "")
    }
}

extension Workplace {
    /// Bytes of address space that it has.
    fileprivate func addressSpace(of pid: pid_t) throws -> Int {
        guard let pages = contents("/proc/\(pid)/statm").split(separator: " ").first.flatMap({ Int($0) }) else {
            throw Broken("no statm of \(pid)")
        }
        return pages * Int(getpagesize())
    }

    /// RLIMIT_AS of what runs, by prlimit(1).
    fileprivate func limitAddressSpace(of pid: pid_t, to bytes: Int?) throws {
        let outcome = try shell("prlimit --pid \(pid) --as=\(bytes.map { "\($0)" } ?? "unlimited"):")
        guard outcome.status == 0 else { throw Broken("\(outcome)") }
    }
}
