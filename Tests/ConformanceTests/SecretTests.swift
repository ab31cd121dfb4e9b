// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// What secrets hold reaches the processes that are to have it, and nothing else.
@Suite(.serialized) struct SecretTests {
    private static let tokens = ["hush-4af1c3e9b75d", "hush-90b2d77e1c48"]

    /// `nobody` is another user, where this one may become that.
    private func manifest() -> String {
        let other = """
              other:
                user: nobody
                command: exec sleep 100000
                secrets: [db]
                health: { readiness: { command: 'test -r "$ORCH_SECRETS/db"', interval: 1s, timeout: 20s } }

            """
        return """
            name: shop
            secrets: { db: { file: secret.txt } }
            services:
              web:
                command: 'test "$DB" = "$(cat "$DB_FILE")" && test "$DB_FILE" = "$ORCH_SECRETS/db.txt" && stat -c %a "$ORCH_SECRETS" "$ORCH_SECRETS/db.txt" > seen; exec sleep 100000'
                environment: { DB: { secret: db }, DB_FILE: "${ORCH_SECRETS}/db.txt" }
                secrets: { db.txt: { secret: db } }
                health: { readiness: { command: 'test "$DB" = "$(cat secret.txt)" && echo x >> probed', interval: 1s, timeout: 20s } }

            """ + (getuid() == 0 ? other : "")
    }

    private static let commands = [
        "status", "status --json", "events --json", "why web", "why web --json", "config", "config --json",
        "config --explain-env web", "diff --json", "history", "history --json", "daemon status --json", "validate",
        "rehearse", "tree", "tree --json", "timeline", "graph", "doctor", "logs", "logs --json",
        // Refused, with the words of the refusal.
        "validate broken.yaml", "apply broken.yaml", "diff broken.yaml", "signal web NOPE", "wait nobody",
    ]

    /// Neither in what orch says nor, as bytes, in what it keeps.
    private func expectSilence(_ place: Workplace, _ when: String) throws {
        for command in Self.commands {
            let said = try place.orch(command.split(separator: " ").map(String.init))
            for token in Self.tokens {
                #expect(!said.output.contains(token) && !said.errors.contains(token), "\(command) \(when)")
            }
        }
        let log = contents(place.home + "/state/orchd.log")
        #expect(!log.isEmpty, "the search below has a log of the daemon to look at")
        for token in Self.tokens {
            let search = "grep -rlaF --exclude=secret.txt -- \(token) '\(place.home)'"
            // The folder of the launch's own files is the one place for it.
            let found = try place.shell("\(search) | grep -v '^\(place.home)/run/secrets/' || true").output
            #expect(found == "", "\(when)")
        }
    }

    @Test func onlyProcessesSeeWhatSecretsHold() throws {
        let place = try Workplace()
        try place.write(Self.tokens[0] + "\n", to: "secret.txt", mode: 0o600)
        // The search would find it.
        #expect(try place.shell("grep -rlaF -- \(Self.tokens[0]) '\(place.home)'").output.contains("secret.txt"))
        try place.write(manifest())
        // What is said of a manifest that is wrong around it.
        try place.write(
            manifest().replacing("secrets: { db.txt:", with: "secrets: [dbb]\n    restrat: 1\n    x-was: { db.txt:"),
            to: "broken.yaml")
        try place.apply()
        try place.eventually("it compared the two") { contents(place.folder + "/seen") == "500\n400\n" }
        #expect(try place.orch("diff").status == 0)
        try expectSilence(place, "after apply")

        // Other content is a change, and nothing says what it is.
        try place.write(Self.tokens[1] + "\n", to: "secret.txt", mode: 0o600)
        let plan = try place.orch("diff")
        #expect(plan.status == 2 && plan.output.contains("secrets.db.content"), "\(plan)")
        let former = try place.pid("web")
        try place.apply()
        #expect(try place.pid("web") != former)
        #expect(try place.orch("diff").status == 0)
        try expectSilence(place, "after a change")

        // Another daemon asks its probes with it, and knows it from the file alone.
        let pid = try place.pid("web")
        let daemon = try JSON.parse(place.orch("daemon", "status", "--json").output)["pid"]?.int ?? 0
        _ = try place.shell("kill -9 \(daemon)")
        try place.eventually("another daemon serves") {
            let now = try? JSON.parse(place.orch("daemon", "status", "--json").output)["pid"]?.int
            return now != nil && now != daemon
        }
        unsafe unlink(place.folder + "/probed")
        try place.eventually("it was asked anew") { !contents(place.folder + "/probed").isEmpty }
        #expect(try place.phase("web") == "ready")
        #expect(try place.pid("web") == pid)
        try expectSilence(place, "after the daemon's death")

        try missing(place, pid)
        _ = try place.orch("down")
        try place.until("the folders of its launches are gone") {
            try place.shell("ls '\(place.home)/run/secrets'").output == ""
        }
        try expectSilence(place, "after down")
        #expect(try place.end() == "")
    }

    /// A secret that went: the start waits and says for what, and an apply says where.
    private func missing(_ place: Workplace, _ pid: Int64?) throws {
        unsafe unlink(place.folder + "/secret.txt")
        let other = try place.pid("other")
        _ = try place.shell("kill -9 \(pid ?? 0)")
        try place.eventually("it says what is missing") {
            try place.rows()["web"]?["reason"]?.string?.contains("cannot read the secret \(place.folder)/secret.txt")
                == true
        }
        let refused = try place.orch("apply")
        #expect(refused.status == 3 && refused.errors.contains("orch.yaml:2:24: error[secret]"), "\(refused)")
        #expect(refused.errors.contains("no such file"))
        #expect(try place.pid("other") == other, "the rest of the stack is unharmed")
        try place.write(Self.tokens[1] + "\n", to: "secret.txt", mode: 0o600)
        try place.eventually("it is up again") { try place.phase("web") == "ready" }
    }
}
