// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

private let web = LaunchID(1)
private let job = LaunchID(2)
private let slow = Specimen { $0.isSlow = true }

/// A daemon dies, and the next one takes over.
extension Contract {
    static let successions = [
        Case("what lives is adopted as it is, and can be ended", adoption),
        Case("a tree is held over a change of daemons") { play in
            let family = Specimen {
                $0.isDeaf = true
                $0.childOutlives = .seconds(3_600)
            }
            try play.begin(web, family)
            try play.living(2)
            _ = try play.changeDaemon()
            _ = try play.changeDaemon()
            try play.living(2)
            play.perform(.kill(web))
            try play.expect(web, [.killed, .emptied])
            try play.living(0)
        },
        Case("an end that nobody saw is told once", unseenEnd),
        Case("an end that was told is found, and told as empty once", seenEnd),
        Case("what a leader left behind is found with its leader's end") { play in
            try play.begin(web, Specimen { $0.childOutlives = .seconds(3_600) })
            play.strike(web, .code(3))
            try play.expect(web, [.launched, .exited(.code(3))])
            let recovery = try play.changeDaemon()
            try play.check(recovery.survivors.map(\.exit) == [.code(3)], "found \(recovery.survivors)")
            try play.living(1)
            try play.expect(web, [])
            play.perform(.kill(web))
            try play.expect(web, [.emptied])
        },
        Case("a failure is found with its reason") { play in
            play.perform(play.order(web, .missing))
            try play.expect(web, [.failed, .emptied])
            let recovery = try play.changeDaemon()
            let survivor = recovery.survivors.first
            try play.check(
                recovery.survivors.count == 1 && survivor?.hasExecuted == false, "found \(recovery.survivors)")
            try play.check(survivor?.fault?.step == "execute" && survivor?.exit == nil, "found \(recovery.survivors)")
            try play.expect(web, [.emptied])
            play.perform(.release(web))
            try play.expect(web, [.emptied, .drained])
        },
        Case("what was released and drained is gone") { play in
            play.perform(play.order(web, .brief))
            try play.expect(web, [.launched, .succeeded, .emptied])
            play.perform(.release(web), .note(.released(web)))
            try play.expect(web, [.launched, .succeeded, .emptied, .drained])
            play.hearAll()
            let recovery = try play.changeDaemon()
            try play.check(recovery.survivors.isEmpty && recovery.closed.isEmpty, "found \(recovery)")
            try play.expect(web, [])
        },
        Case("what was noted as released and not drained is found as closed, until it is", closed),
        Case("sockets stay open over a change of daemons, whoever serves them, until they may not", sockets),
        Case("questions of the former daemon are not answered to the next, and end") { play in
            try play.begin(web, slow)
            play.ask(web, round: 1, slow, timeout: .milliseconds(150))
            play.hearAll()
            _ = try play.changeDaemon()
            play.ask(web, round: 2, slow, timeout: .milliseconds(300))
            try play.expect(web, [.probed(round: 2, .failure)])
            try play.living(1)
        },
        Case("READY that is said to the next daemon is heard") { play in
            try play.begin(web, Specimen { $0.isReadyOnCue = true })
            _ = try play.changeDaemon()
            play.stage.cue(web)
            try play.expect(web, [.notified(.ready)])
        },
        Case("no number is given again, those of probes and steps included") { play in
            try play.begin(web, .deaf)
            play.ask(web, round: 1, runner: 40)
            play.run(step: 0, of: web, runner: 41)
            try play.expect(web, [.launched])
            try play.until("both answers") { play.story(of: web).count == 3 }
            let recovery = try play.changeDaemon()
            try play.check(recovery.nextLaunch > LaunchID(41), "the next is \(recovery.nextLaunch.number)")
        },
        Case("notes are read back in their order") { play in
            play.perform(.note(note(1)), .note(note(2)), .note(note(3)))
            var recovery = try play.changeDaemon()
            try play.check(recovery.notes == [note(1), note(2), note(3)] && !recovery.isNewBoot, "\(recovery.notes)")
            play.perform(.note(note(4)))
            recovery = try play.changeDaemon()
            try play.check(recovery.notes == [note(1), note(2), note(3), note(4)], "\(recovery.notes)")
        },
        Case("of a torn note nothing is read, and all of what came before and after it") { play in
            play.perform(.note(note(1)))
            var recovery = try play.changeDaemon(torn: note(2))
            try play.check(recovery.notes == [note(1)], "\(recovery.notes)")
            play.perform(.note(note(3)))
            recovery = try play.changeDaemon()
            try play.check(recovery.notes == [note(1), note(3)], "\(recovery.notes)")
        },
    ]

    /// One that no pruning drops: an entry of the restart ledger.
    private static func sockets(_ play: Play) throws {
        guard case .launch(var order) = play.order(web, .brief) else { return }
        let service = order.instance.service
        let moved = ServiceID(stack: service.stack, service: "moved")
        // The stage's folder is among its words.
        let mark = Digest(of: Array(order.spec.command.arguments.joined().utf8)).short
        let names = ["a", "b"].map { SocketSpec(name: $0, listen: .abstract("orch-contract-\(mark)-\($0)")) }
        order.spec.sockets = names
        play.perform(.launch(order))
        try play.expect(web, [.launched, .succeeded, .emptied])
        play.perform(.release(web), .note(.released(web)))
        play.hearAll()
        let first = try play.changeDaemon()
        try play.check(first.sockets == [OpenSockets(service, names)], "found \(first.sockets)")
        play.perform(.sockets(moved, names, former: service), .sockets(moved, [names[1]], former: nil))
        let second = try play.changeDaemon()
        try play.check(second.sockets == [OpenSockets(moved, [names[1]])], "found \(second.sockets)")
        play.perform(.sockets(moved, [], former: nil))
        let third = try play.changeDaemon()
        try play.check(third.sockets.isEmpty, "found \(third.sockets)")
    }

    private static func note(_ number: Int64) -> LaunchNote {
        let id = InstanceID(service: ServiceID(stack: "shop", service: "web"))
        return .failed(id, at: Moment(instant: Instant(nanoseconds: number), wall: WallTime(nanoseconds: number)))
    }

    private static func closed(_ play: Play) throws {
        let order = play.order(web, .brief)
        guard case .launch(let launched) = order else { throw Breach("no launch") }
        play.perform(order)
        try play.expect(web, [.launched, .succeeded, .emptied])
        play.perform(.note(.released(web)))
        for _ in 1...2 {
            let recovery = try play.changeDaemon()
            let expected = [ClosedLaunch(launch: web, instance: launched.instance, exit: .code(0))]
            try play.check(recovery.survivors.isEmpty && recovery.closed == expected, "found \(recovery.closed)")
            try play.expect(web, [])
        }
        play.perform(.release(web))
        try play.expect(web, [.drained])
        play.hearAll()
        let recovery = try play.changeDaemon()
        try play.check(recovery.survivors.isEmpty && recovery.closed.isEmpty, "found \(recovery.closed)")
    }

    private static func adoption(_ play: Play) throws {
        try play.begin(web)
        try play.begin(job)
        let pids = play.heard.compactMap { if case .event(.launched(_, let pid, _, _)) = $0 { pid } else { nil } }
        let recovery = try play.changeDaemon()
        let survivors = zip([web, job], pids).map { Survivor(launch: $0, pid: $1, hasExecuted: true) }
        try play.check(recovery.survivors == survivors, "found \(recovery.survivors) and not \(survivors)")
        try play.living(2)
        play.perform(.signal(web, .terminate, to: .main))
        try play.expect(web, [.terminated, .emptied])
        play.perform(.release(web))
        try play.expect(web, [.terminated, .emptied, .drained])
        try play.expect(job, [])
        try play.living(1)
    }

    private static func unseenEnd(_ play: Play) throws {
        try play.begin(web)
        try play.begin(job)
        let recovery = try play.changeDaemon { play.strike(web, .code(6)) }
        try play.check(recovery.survivors.map(\.launch) == [web, job], "found \(recovery.survivors)")
        // Either it had ended by the hand-over, or its end comes now.
        let found = recovery.survivors.first?.exit
        try play.check(found == nil || found == .code(6), "found \(recovery.survivors)")
        try play.expect(web, found == nil ? [.exited(.code(6)), .emptied] : [.emptied])
        try play.expect(job, [])
    }

    private static func seenEnd(_ play: Play) throws {
        play.perform(play.order(web, .brief))
        try play.expect(web, [.launched, .succeeded, .emptied])
        let recovery = try play.changeDaemon()
        try play.check(recovery.survivors.map(\.exit) == [.code(0)], "found \(recovery.survivors)")
        try play.expect(web, [.emptied])
        play.perform(.release(web))
        try play.expect(web, [.emptied, .drained])
    }
}
