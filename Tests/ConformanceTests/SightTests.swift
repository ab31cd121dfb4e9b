// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// `orch graph`, `orch timeline` and `orch top` of a stack that runs.
@Suite(.serialized) struct SightTests {
    private static let manifest = """
        name: view
        services:
          db: { command: "sleep 0.3; echo open; exec sleep 4289", ready: { log: open } }
          api: { command: [sleep, "4289"], depends_on: [db] }
          job: { kind: task, command: "exit 3" }
          late: { command: [sleep, "4289"], depends_on: [job] }
        """

    @Test func picturesAreOfWhatHappened() throws {
        let place = try Workplace()
        try place.write(Self.manifest)
        let before = try place.orch("graph")
        #expect(before.status == 0 && before.output.contains("   2  api         ◀─ db ready\n"), "\(before)")
        #expect(try place.orch("timeline").status == 4)
        #expect(try place.orch("apply").status == 1)
        try place.eventually("api is ready") { try place.phase("api") == "ready" }
        let after = try place.orch("graph")
        #expect(after.output.contains("api   ready    ◀─ db ready"), "\(after)")
        #expect(
            after.output.contains("job   failed") && after.output.contains("late  waiting  ◀─ job succeeded"),
            "\(after)")
        for words in [["graph", "--format", "svg"], ["timeline", "--format", "svg"]] {
            let picture = try place.orch(words)
            #expect(picture.status == 0 && picture.output.hasPrefix("<svg "), "\(picture)")
            try place.write(picture.output, to: "picture.svg")
            let parsed = try place.shell(
                "python3 -c 'import xml.dom.minidom as x; x.parse(\"\(place.folder)/picture.svg\")'")
            #expect(parsed.status == 0, "\(parsed)")
        }
        let value = try JSON.parse(place.orch("timeline", "--json").output)
        var parts: [String: Value] = [:]
        for part in value["instances"]?.array ?? [] { parts[part["label"]?.string ?? ""] = part }
        #expect(parts["db"]?["end"] == "ready" && parts["api"]?["end"] == "ready" && parts["job"]?["end"] == "failed")
        #expect(parts["late"]?["end"] == .null)
        let wait = parts["api"]?["spans"]?.array?.first
        #expect(wait?["phase"] == "waiting" && wait?["cause"]?.string?.hasPrefix("waiting for db") ?? false, "\(parts)")
        let ready = parts["db"]?["spans"]?.array?.last?["to"]?.string ?? ""
        #expect(!ready.isEmpty && ready <= wait?["to"]?.string ?? "", "api waited until db was ready: \(parts)")
        let text = try place.orch("timeline").output
        #expect(text.contains("waiting for db") && text.contains("█ ready"), "\(text)")
        #expect(try place.end() == "")
    }

    @Test func whatATreeUsesIsMeasured() throws {
        let place = try Workplace()
        try place.write(
            """
            name: view
            services:
              busy: { command: "sleep 4289 & while :; do :; done" }
              open: { command: "exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null; exec sleep 4289" }
            """)
        try place.apply()
        let once = try place.orch("top")
        let lines = once.output.split(separator: "\n")
        #expect(once.status == 0 && lines.count == 4 && lines[2].hasPrefix("busy"), "\(once)")
        let rows = try JSON.parse(place.orch("top", "--json").output)["instances"]?.array ?? []
        #expect(rows.map { $0["label"]?.string ?? "" } == ["busy", "open"])
        #expect((rows[0]["cpu_percent"]?.double ?? 0) > 5 && rows[0]["processes"] == 2)
        #expect((rows[1]["descriptors"]?.int ?? 0) >= 7 && rows[1]["threads"] == 1)
        #expect(try place.end() == "")
    }

    /// On a real terminal, which is afterwards as it was.
    @Test func aKeyLeavesTheLiveTable() throws {
        let place = try Workplace()
        try place.write("name: view\nservices:\n  web: { command: [sleep, '4289'] }\n")
        try place.apply()
        try place.write(
            """
            import os, pty, termios
            child, screen = pty.fork()
            if child == 0: os.execv("\(program("orch"))", ["orch", "top"])
            seen = b""
            while b"q leaves" not in seen: seen += os.read(screen, 4096)
            caught = termios.tcgetattr(screen)[3] & (termios.ICANON | termios.ECHO)
            os.write(screen, b"q")
            while True:
                try:
                    if not os.read(screen, 4096): break
                except OSError: break
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print("exit", code, "caught", caught == 0, "restored", termios.tcgetattr(screen)[3] & termios.ECHO != 0)
            """, to: "press.py")
        let outcome = try place.shell("exec timeout -k 5 100 python3 '\(place.folder)/press.py'")
        #expect(outcome.output == "exit 0 caught True restored True\n", "\(outcome)")
        #expect(try place.end() == "")
    }
}
