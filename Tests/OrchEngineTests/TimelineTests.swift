// SPDX-License-Identifier: Apache-2.0

import OrchModel
import Testing

/// The drawing finds what it is for: one that is wrong fails, and says how.
@Suite struct TimelineTests {
    @Test func aWrongDrawingIsPrintedUnderTheRightOne() {
        let web = service("web") { $0.restart.delay = .seconds(2) }
        let lines: [TimelineLine] = [.service(web), world("web", "--x---"), orch("web", "L-----")]
        let text = failure(of: "a crash is ignored", lines) ?? ""
        #expect(text.contains("  expected   L-----\n  actual     L---L-\n"))
        #expect(text.contains("2: web exited: exit 1 after 2s"))
    }

    @Test func eachKindOfLineIsLookedAt() {
        let lines: [(TimelineLine, String)] = [
            (phases("web", "r--"), "phases of web"),
            (asked("web", "R--"), "asked of web"),
            (heard("web", "m--"), "heard of web"),
            (reason("web", at: 1, "why not"), "the reason of web"),
            (told("web", .warning, at: 1), "nothing tells `warning"),
            (verdict(on: .settled, at: 1, is: .pending), "the verdict on settled"),
            (world("web", "--z"), "`z` is no letter"),
            (daemon("-z-"), "`z` is no letter"),
            (world("web", "-e-e"), "nothing of web is left that could go"),
            (world("web", "-0p0"), "column 2: `sick` of web, which has no process"),
            (daemon("-b-"), "had nothing to do"),
        ]
        for (line, complaint) in lines {
            let web = service("web") { $0.restart.policy = .no }
            let all: [TimelineLine] = [.service(web), orch("web", "L---"), line, asleep]
            #expect(failure(of: "it stays up", all)?.contains(complaint) == true, "\(line)")
        }
    }

    @Test func lettersMeanOneThing() {
        #expect(Set(Letters.world.map(\.letter)).count == Letters.world.count)
        #expect(Set(Letters.daemon.map(\.letter)).count == Letters.daemon.count)
        #expect(Set(Phase.allCases.map { Letters.letter($0) }).count == Phase.allCases.count)
        #expect(!Phase.allCases.map { Letters.letter($0) }.contains("-"))
    }
}
