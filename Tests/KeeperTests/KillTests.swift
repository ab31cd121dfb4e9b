// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import Testing

@Suite struct KillTests {
    /// The daemon is killed in the middle of everything, 8 times: every launch that was asked for ends exactly once, with
    /// its own status, and never runs twice.
    @Test func nothingIsLostWhenDaemonsDie() throws {
        let keeper = try Keeper()
        let ledger = keeper.directory + "/ledger"
        var ends: [UInt64: ProcessEnd.Outcome] = [:]
        var open: Set<UInt64> = []
        var next: UInt64 = 1
        for _ in 0..<8 {
            try keeper.settle(&open, &ends)
            for _ in 0..<75 {
                try keeper.link.spawn(launch(next, "sh", "-c", "echo \(next) >> \(ledger); exit \(next % 100)"))
                open.insert(next)
                next += 1
            }
            try keeper.killDaemon()
        }
        try keeper.settle(&open, &ends)
        while let launch = open.first {
            ends[launch] = try keeper.end(of: launch).outcome
            open.remove(launch)
        }
        #expect(ends.count == 600)
        for (launch, outcome) in ends { #expect(outcome == .exited(code: Int32(launch % 100))) }
        let ran = contents(ledger).split(separator: "\n").compactMap { UInt64($0) }.sorted()
        #expect(ran == Array(1...600))
    }
}

extension Keeper {
    /// Takes the hand-over: what is open must be in it; what has ended is recorded and acknowledged.
    fileprivate func settle(_ open: inout Set<UInt64>, _ ends: inout [UInt64: ProcessEnd.Outcome]) throws {
        var known: Set<UInt64> = []
        let count = try handOver().count
        for _ in 0..<count {
            let (launch, state) = try wait("a state") { message -> (UInt64, KeeperState)? in
                if case .state(let launch, let state) = message { (launch, state) } else { nil }
            }
            known.insert(launch)
            guard case .ended(let end) = state.progress else { continue }
            // An acknowledgement may have died with its daemon: told twice, recorded once, and alike.
            #expect(ends[launch] == nil || ends[launch] == end.outcome)
            ends[launch] = end.outcome
            open.remove(launch)
            try link.acknowledge(launch)
        }
        #expect(open.isSubset(of: known))
    }
}
