// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import Testing

@testable import OrchLinux

@Suite struct RestTests {
    private func field(_ name: String, of pid: Int32) -> Substring? {
        contents("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix(name) }?.dropFirst(name.count)
    }

    /// A daemon that has read all says so before it waits for long, and the keeper has nothing left to look for.
    @Test func theKeeperOfADaemonThatRestsDoesNotWakeUp() throws {
        let keeper = try Keeper(options: ["--patience", "100"])
        _ = try keeper.handOver()
        try keeper.link.spawn(launch(1, "true"))
        _ = try keeper.end(of: 1)
        try keeper.link.acknowledge(1)
        keeper.link.rest()
        let end = corch_clock(CLOCK_MONOTONIC) + Int64(Keeper.deadlineSeconds) * 1_000_000_000
        while corch_bytes_unsent(keeper.link.number) > 0 || field("State:", of: keeper.pid)?.contains("S") != true {
            guard corch_clock(CLOCK_MONOTONIC) < end else { throw Timeout(description: "the keeper does not sleep") }
        }
        let wakeUps = field("voluntary_ctxt_switches:", of: keeper.pid)
        #expect(wakeUps != nil)
        var socket = pollfd(fd: keeper.link.number, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&socket, 1, 700) == 0, "nothing comes for seven times its patience")
        #expect(field("voluntary_ctxt_switches:", of: keeper.pid) == wakeUps)
    }
}
