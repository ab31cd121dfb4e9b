// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// `orch tree` on real processes, held either way.
@Suite(.serialized) struct TreeTests {
    @Test(arguments: [nil, "session"] as [String?]) func everyProcessOfAServiceIsShown(tracking: String?) throws {
        let place = try Workplace(tracking: tracking)
        // A child, a grandchild, and one that left session and parent behind.
        try place.write(
            """
            name: grove
            services:
              web:
                command: |
                  sh -c 'sleep 4293 & exec sleep 4292' &
                  (setsid sleep 4291 &)
                  exec sleep 4290
              off: { command: [sleep, "4290"], enabled: false }
            """)
        try place.apply()
        var rows: [String: Value] = [:]
        try place.eventually("all four are there") {
            let outcome = try place.orch("tree", "--json")
            let instances = try JSON.parse(outcome.output)["instances"]?.array ?? []
            let web = instances.first { $0["label"] == "web" }
            rows = [:]
            for row in web?["processes"]?.array ?? [] {
                if let command = row["command"]?.string { rows[command] = row }
            }
            return rows.count == 4 && rows["sleep 4293"] != nil
        }
        let main = try #require(try place.pid("web"))
        #expect(rows["sleep 4290"]?["pid"]?.int == main && rows["sleep 4290"]?["main"] == true)
        #expect(rows["sleep 4292"]?["parent"]?.int == main && rows["sleep 4292"]?["outside"] == false)
        #expect(rows["sleep 4293"]?["parent"] == rows["sleep 4292"]?["pid"])
        #expect(rows["sleep 4291"]?["outside"] == true)
        #expect(rows.values.allSatisfy { ($0["descriptors"]?.int ?? 0) > 2 && $0["threads"] == 1 })
        #expect(rows.values.allSatisfy { ($0["memory_bytes"]?.int ?? 0) > 0 })
        let text = try place.orch("tree", "grove/web").output
        #expect(text.contains("outside sleep 4291") && text.contains("└─ sleep 4293"), "\(text)")
        #expect(text.contains(tracking == "session" ? "held by session" : "held by"), "\(text)")
        #expect(try place.orch("tree").output.contains("grove/off  idle"))
        #expect(try place.end() == "")
    }

    /// What a service of another user's is doing can't be seen by everybody; it is said.
    @Test(.enabled("services of other users need root") { geteuid() == 0 }) func usersAreNamed() throws {
        let place = try Workplace()
        try place.write("name: grove\nservices:\n  web: { command: [sleep, '4290'], user: nobody, working_dir: / }\n")
        try place.apply()
        #expect(try place.orch("tree").output.contains("nobody"))
        #expect(try place.end() == "")
    }
}
