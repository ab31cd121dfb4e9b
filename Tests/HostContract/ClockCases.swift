// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

private let web = LaunchID(1)

/// Time, and the one place that blocks.
extension Contract {
    static let clocks = [
        Case("a wait with nothing to tell lasts until its deadline, whatever the host does meanwhile") { play in
            let slow = Specimen { $0.isSlow = true }
            try play.begin(web, slow)
            play.hearAll()
            play.ask(web, round: 1, slow, timeout: .milliseconds(30))
            play.perform(.endProbes(web))
            try lastsToTheEnd(play)
        },
        Case("a tree that is watched for its end does not end a wait") { play in
            try play.begin(web, Specimen { $0.childOutlives = .seconds(3_600) })
            play.strike(web)
            try play.expect(web, [.launched, .succeeded])
            play.hearAll()
            try lastsToTheEnd(play)
        },
        Case("a wait until an instant that is past does not block") { play in
            play.hearAll()
            let before = play.stage.now.instant
            try play.check(play.stage.wait(until: .zero).isEmpty, "something came")
            try play.check(play.stage.now.instant - before < Play.patience, "it blocked")
        },
        Case("a wait ends with the first thing to tell") { play in
            try play.begin(web)
            play.hearAll()
            play.strike(web)
            let end = play.stage.now.instant + Play.patience
            let inputs = play.stage.wait(until: end)
            try play.check(!inputs.isEmpty && play.stage.now.instant < end, "it lasted until its deadline: \(inputs)")
        },
        Case("a time zone is read, and one that is not there is told as such") { play in
            play.perform(.readZone("UTC"), .readZone("Nowhere/AtAll"))
            try play.until("both zones") { zones(play).count >= 2 }
            let read = zones(play)
            try play.check(read.map(\.name) == ["UTC", "Nowhere/AtAll"], "read \(read.map(\.name))")
            try play.check(read.map(\.isThere) == [true, false], "there are \(read.map(\.isThere))")
        },
        Case("both clocks go on") { play in
            var last = play.stage.now
            try play.check(last.wall.nanoseconds > 1_500_000_000_000_000_000, "civil time is \(last.wall.nanoseconds)")
            for _ in 0..<3 {
                play.hearAll()
                _ = play.stage.wait(until: play.stage.now.instant + .milliseconds(2))
                let next = play.stage.now
                try play.check(next.instant - last.instant >= .milliseconds(2), "\(next) after \(last)")
                try play.check(next.wall > last.wall, "\(next) after \(last)")
                last = next
            }
        },
    ]

    private static func zones(_ play: Play) -> [(name: String, isThere: Bool)] {
        play.heard.compactMap { input in
            if case .event(.zoneRead(let name, let zone)) = input { (name, zone != nil) } else { nil }
        }
    }

    private static func lastsToTheEnd(_ play: Play) throws {
        let end = play.stage.now.instant + .milliseconds(80)
        let inputs = play.stage.wait(until: end)
        let now = play.stage.now.instant
        try play.check(inputs.isEmpty, "it tells \(inputs)")
        try play.check(now >= end, "it ended \((end - now).text) too early")
    }
}
