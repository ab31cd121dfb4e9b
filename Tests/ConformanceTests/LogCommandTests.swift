// SPDX-License-Identifier: Apache-2.0

import OrchModel
import Testing

/// `orch logs` over what real launches wrote.
@Suite(.serialized) struct LogCommandTests {
    @Test func theLaunchBeforeIsShownFromCompressedSegmentsToo() throws {
        let place = try Workplace()
        try place.write(
            """
            name: shop
            services:
              web:
                command: "seq 2000; echo launch $ORCH_LAUNCH; exec sleep 1000"
                logging: { stdout: web.log, rotate: { size: 1kB, keep: 100, compress: gzip } }
            """)
        #expect(try place.orch("apply").status == 0)
        try place.eventually("all is written") { try place.orch("logs", "web", "-n1").output.hasPrefix("launch ") }
        let first = try place.orch("logs", "web", "-n1").output
        #expect(try place.orch("logs", "web", "--previous").status == 1, "there is none before the first")
        #expect(try place.orch("restart", "web").status == 0)
        try place.eventually("the new launch has written") {
            let last = try place.orch("logs", "web", "-n1").output
            return last.hasPrefix("launch ") && last != first
        }
        try place.eventually("its segments are compressed") {
            try place.shell("ls web.log.*").output.split(separator: "\n").allSatisfy { $0.hasSuffix(".gz") }
        }
        #expect(try place.orch("logs", "web", "--previous", "-n1").output == first)
        let before = try place.orch("logs", "web", "--previous", "-n", "5000").output.split(separator: "\n")
        #expect(before.count == 2001 && before.first == "1" && before.dropLast().last == "2000")
        #expect(try place.end() == "")
    }
}
