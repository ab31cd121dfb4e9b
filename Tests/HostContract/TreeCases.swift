// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

private let web = LaunchID(1)
private let parent = Specimen { $0.childOutlives = .seconds(3_600) }
private let deafParent = Specimen {
    $0.isDeaf = true
    $0.childOutlives = .seconds(3_600)
}

/// Whom signals reach, and when nothing is left.
extension Contract {
    static let trees = [
        Case("a signal to main ends main alone, and what is left gets the next one") { play in
            try family(play)
            play.perform(.signal(web, .terminate, to: .main))
            try play.expect(web, [.launched, .terminated])
            try play.living(1)
            play.perform(.signal(web, .terminate, to: .main))
            try play.expect(web, [.launched, .terminated, .emptied])
            try play.living(0)
        },
        Case("a signal to the group does not reach a child in a session of its own") { play in
            try family(play)
            play.perform(.signal(web, .terminate, to: .group))
            try play.expect(web, [.launched, .terminated])
            try play.living(1)
            play.perform(.signal(web, .terminate, to: .group))
            try play.expect(web, [.launched, .terminated, .emptied])
        },
        Case("a signal to the tree reaches all of it") { play in
            try family(play)
            play.perform(.signal(web, .terminate, to: .tree))
            try play.expect(web, [.launched, .terminated, .emptied])
            try play.living(0)
        },
        Case("who is deaf is not ended by a signal") { play in
            try family(play, deafParent)
            play.perform(.signal(web, .terminate, to: .tree), .signal(web, .interrupt, to: .main))
            play.ask(web, round: 1)
            try play.expect(web, [.launched, .probed(round: 1, .success)])
            try play.living(2)
        },
        Case("SIGKILL as a signal ends who is deaf") { play in
            try family(play, deafParent)
            play.perform(.signal(web, .kill, to: .main))
            try play.expect(web, [.launched, .killed])
            try play.living(1)
            play.perform(.signal(web, .kill, to: .tree))
            try play.expect(web, [.launched, .killed, .emptied])
        },
        Case("a kill ends a deaf tree, children in other sessions too") { play in
            try family(play, deafParent)
            play.perform(.kill(web))
            try play.expect(web, [.launched, .killed, .emptied])
            try play.living(0)
        },
        Case("a kill behind another changes nothing") { play in
            try family(play, deafParent)
            play.perform(.kill(web), .kill(web))
            try play.expect(web, [.launched, .killed, .emptied])
            play.perform(.kill(web))
        },
        Case("a signal behind the order reaches what is launched") { play in
            play.perform(play.order(web), .signal(web, .terminate, to: .main))
            try play.expect(web, [.launched, .terminated, .emptied])
        },
        Case("a kill behind the order ends what is launched") { play in
            play.perform(play.order(web, .deaf), .kill(web))
            try play.until("its end") { play.story(of: web).contains(.emptied) }
            // It may be killed before it has executed: then it never was.
            let story = play.story(of: web)
            try play.check(story == [.launched, .killed, .emptied] || story == [.failed, .emptied], "\(story)")
            play.accept(web)
            try play.living(0)
        },
        Case("a child that outlives its leader delays the end of the tree", survivor),
        Case("what a leader leaves behind is cleared by a kill") { play in
            try family(play, deafParent)
            play.strike(web, .code(4))
            try play.expect(web, [.launched, .exited(.code(4))])
            try play.living(1)
            play.perform(.kill(web))
            try play.expect(web, [.launched, .exited(.code(4)), .emptied])
            try play.living(0)
        },
        Case("the processes of a launch are told while it lives", members),
        Case("what is used is told of what lives, and not of what can't be measured", usage),
    ]

    private static func family(_ play: Play, _ specimen: Specimen = parent) throws {
        try play.begin(web, specimen)
        try play.living(2)
    }

    private static func survivor(_ play: Play) throws {
        let outlives = Duration.milliseconds(150)
        try play.begin(web, Specimen { $0.childOutlives = outlives })
        let before = play.stage.now.instant
        play.strike(web)
        try play.expect(web, [.launched, .succeeded])
        try play.expect(web, [.launched, .succeeded, .emptied])
        let lasted = play.stage.now.instant - before
        try play.check(lasted >= outlives, "told as empty after \(lasted.text)")
        try play.living(0)
    }

    /// Those of a launch that lives, until nothing of it does.
    private static func members(_ play: Play) throws {
        try play.begin(web)
        play.perform(play.order(LaunchID(2), .brief))
        try play.expect(LaunchID(2), [.launched, .succeeded, .emptied])
        let found = play.stage.members(of: [web, LaunchID(2), LaunchID(9)])
        try play.check(found.map(\.launch) == [web], "it tells of \(found.map(\.launch.number))")
        try play.check(found.allSatisfy { !$0.members.isEmpty }, "a launch that lives has no processes")
        play.strike(web)
        try play.expect(web, [.launched, .succeeded, .emptied])
        try play.check(play.stage.members(of: [web]).isEmpty, "what is empty has processes")
    }

    private static func usage(_ play: Play) throws {
        try play.begin(web)
        play.perform(play.order(LaunchID(2), .brief))
        try play.expect(LaunchID(2), [.launched, .succeeded, .emptied])
        let launches = [web, LaunchID(2), LaunchID(9)]
        let first = play.stage.usage(of: launches)
        try play.check(first.map(\.launch) == [web], "it tells of \(first.map(\.launch.number))")
        try play.check(first.allSatisfy { $0.cpuPercent == nil }, "a share of the processor since never")
        try play.watch("what it uses") {
            let next = play.stage.usage(of: launches)
            return next.first.map { $0.launch == web && $0.cpuPercent != nil && ($0.memoryBytes ?? 0) > 0 } ?? false
        }
    }
}
