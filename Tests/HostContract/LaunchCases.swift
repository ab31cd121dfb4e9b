// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

private let web = LaunchID(1)
private let job = LaunchID(2)

/// From the order to the last byte.
extension Contract {
    static let launches = [
        Case("a launch is told from its start to its last byte, each once and in this order", wholeLife),
        Case("a code is told") { try end(of: $0, .code(7)) },
        Case("a signal is told") { try end(of: $0, .signal(.terminate, coreDumped: false)) },
        Case("a core is told") { try end(of: $0, .signal(Signal(number: 6), coreDumped: $0.stage.dumpsCores)) },
        Case("what can't be executed fails, is empty, and says why", failure),
        Case("what the machine lacks is not the service's failure", scarcity),
        Case("the same order twice is one launch") { play in
            let order = play.order(web)
            play.perform(order, order)
            try play.expect(web, [.launched])
            try play.living(1)
        },
        Case("the order of what runs changes nothing") { play in
            try play.begin(web)
            play.perform(play.order(web))
            play.strike(web, .code(3))
            try play.expect(web, [.launched, .exited(.code(3)), .emptied])
        },
        Case("a number that was used is never launched again", usedNumber),
        Case("many ends at the same instant all come") { try crowd($0, .steady) { $0.strike($1, .code(5)) } },
        Case("what ends at once has started before") {
            try crowd(
                $0,
                Specimen {
                    $0.endsAfter = .zero; $0.exit = .code(5)
                })
        },
        Case("a service's READY comes with its launch") { play in
            play.perform(play.order(web, Specimen { $0.readyAfter = .milliseconds(20) }), play.order(job))
            try play.expect(web, [.launched, .notified(.ready)])
            try play.expect(job, [.launched])
        },
        Case("last words are heard before the end") { play in
            let specimen = Specimen {
                $0.readyAfter = .milliseconds(1)
                $0.endsAfter = .milliseconds(2)
            }
            play.perform(play.order(web, specimen))
            try play.expect(web, [.launched, .notified(.ready), .succeeded, .emptied])
        },
        Case("a release is answered though somebody keeps the output open", heldOutput),
        Case("a launch that is released twice is drained once") { play in
            play.perform(play.order(web, .brief))
            try play.expect(web, [.launched, .succeeded, .emptied])
            play.perform(.release(web), .release(web))
            try play.expect(web, [.launched, .succeeded, .emptied, .drained])
        },
        Case("a launch that nobody knows is drained, and nothing else comes of it", unknown),
        Case("what is over is not touched", afterTheEnd),
    ]

    private static func wholeLife(_ play: Play) throws {
        play.perform(play.order(web, .brief))
        try play.expect(web, [.launched, .succeeded, .emptied])
        for case .event(.launched(_, let pid, let ports, let tracking)) in play.heard {
            try play.check(pid > 0 && ports.isEmpty, "pid \(pid), ports \(ports)")
            try play.check(["cgroup", "session"].contains(tracking), "a tree is held by \(tracking)")
        }
        play.perform(.release(web))
        try play.expect(web, [.launched, .succeeded, .emptied, .drained])
    }

    private static func end(of play: Play, _ exit: Exit) throws {
        let specimen = Specimen {
            $0.endsAfter = .milliseconds(1)
            $0.exit = exit
        }
        play.perform(play.order(web, specimen))
        try play.expect(web, [.launched, .exited(exit), .emptied])
    }

    private static func failure(_ play: Play) throws {
        play.perform(play.order(web, .missing), .signal(web, .terminate, to: .main))
        try play.expect(web, [.failed, .emptied])
        let faults = play.heard.compactMap {
            if case .event(.launchFailed(_, let fault, _)) = $0 { fault } else { nil }
        }
        for fault in faults {
            try play.check(fault.step == "execute", "it can't \(fault.step)")
            try play.check(fault.subject == "./nothing", "it is about \(fault.subject)")
            try play.check(fault.reason.contains("no such file (ENOENT)"), "for the reason \(fault.reason)")
        }
        play.perform(.release(web))
        try play.expect(web, [.failed, .emptied, .drained])
    }

    private static func scarcity(_ play: Play) throws {
        try play.stage.blockRunDirectory()
        play.perform(play.order(web))
        try play.expect(web, [.failed(isScarcity: true), .emptied])
        play.perform(.release(web))
        try play.expect(web, [.failed(isScarcity: true), .emptied, .drained])
    }

    private static func usedNumber(_ play: Play) throws {
        play.perform(play.order(web, .brief))
        try play.expect(web, [.launched, .succeeded, .emptied])
        play.perform(.release(web))
        try play.expect(web, [.launched, .succeeded, .emptied, .drained])
        play.perform(play.order(web))
        try play.expect(web, [.launched, .succeeded, .emptied, .drained, .failed, .emptied])
        play.perform(.release(web))
        try play.expect(web, [.launched, .succeeded, .emptied, .drained, .failed, .emptied, .drained])
    }

    private static func crowd(_ play: Play, _ specimen: Specimen, then end: (Play, LaunchID) -> Void = { _, _ in })
        throws
    {
        let launches = (1...20).map { LaunchID($0) }
        for launch in launches { play.perform(play.order(launch, specimen)) }
        for launch in launches {
            try play.until("start of \(launch.number)") { play.story(of: launch).first == .launched }
            if specimen.endsAfter == nil { try play.stage.awaitBirth(of: launch, specimen) }
        }
        for launch in launches { end(play, launch) }
        for launch in launches { try play.expect(launch, [.launched, .exited(.code(5)), .emptied]) }
        for launch in launches { play.perform(.release(launch)) }
        for launch in launches { try play.expect(launch, [.launched, .exited(.code(5)), .emptied, .drained]) }
    }

    private static func heldOutput(_ play: Play) throws {
        try play.begin(web)
        try play.stage.holdOutput(of: web)
        play.strike(web)
        try play.expect(web, [.launched, .succeeded, .emptied])
        play.perform(.release(web))
        try play.expect(web, [.launched, .succeeded, .emptied, .drained])
    }

    private static func unknown(_ play: Play) throws {
        play.perform(.signal(web, .terminate, to: .tree), .kill(web), .endProbes(web), .relog(web, LoggingSpec()))
        play.perform(.release(web))
        try play.expect(web, [.drained])
    }

    private static func afterTheEnd(_ play: Play) throws {
        play.perform(play.order(web, .brief))
        try play.expect(web, [.launched, .succeeded, .emptied])
        play.perform(.signal(web, .terminate, to: .main), .signal(web, .kill, to: .tree), .kill(web), .endProbes(web))
        play.perform(.release(web))
        try play.expect(web, [.launched, .succeeded, .emptied, .drained])
        play.perform(.signal(web, .terminate, to: .tree), .kill(web), .endProbes(web), .relog(web, LoggingSpec()))
    }
}
