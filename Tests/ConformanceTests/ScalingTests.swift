// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// `orch scale`, with real processes.
@Suite(.serialized) struct ScalingTests {
    @Test func instancesComeAndGoByHand() throws {
        let place = try Workplace()
        try place.write(
            "name: many\nservices:\n  web: { command: [sleep, '4521'] }\n  other: { command: [sleep, '4522'] }\n")
        try place.apply()
        let first = try place.pid("web")
        let other = try place.pid("other")
        let more = try place.orch("scale", "web=3")
        #expect(more.status == 0, "\(more)")
        #expect(try place.phase("web.3") == "ready")
        #expect(try place.pid("web.1") == first, "who was there keeps its process")
        let plan = try place.orch("diff")
        #expect(plan.status == 2 && plan.output.contains("scaled by hand to 3"), "\(plan)")
        kill(try place.daemon(), SIGKILL)
        try place.eventually("the next daemon knows it") { try place.phase("web.3") == "ready" }
        #expect(try place.orch("diff").status == 2)
        #expect(try place.orch("scale", "web=2").status == 0)
        try place.eventually("the highest goes") { try place.rows()["web.3"] == nil }
        #expect(try place.pid("web.1") == first)
        try place.apply()
        try place.eventually("an apply mends it") { try place.rows()["web.2"] == nil }
        #expect(try place.pid("web") == first)
        #expect(try place.pid("other") == other)
        #expect(try place.orch("diff").status == 0)
        for (words, status, text) in [
            ("web=0", 1, "can't be scaled to 0"), ("web", 64, "does not say how many"), ("wbe=2", 1, "wbe"),
        ] {
            let refused = try place.orch("scale", words)
            #expect(refused.status == status && refused.errors.contains(text), "\(refused)")
        }
        #expect(try place.end() == "")
    }
}
