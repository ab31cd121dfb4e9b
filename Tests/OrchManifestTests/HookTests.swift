// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct HookTests {
    @Test func hooksAreRead() throws {
        let fixture = Fixture(
            """
            services:
              web:
                command: ./web
                shell: [/bin/bash, -c]
                hooks:
                  pre_start: { command: 'migrate $DB', timeout: 5m }
                  post_stop: { command: [./clean, "${ORCH_EXIT_CODE}"] }
                  on_failed: { command: page, shell: [/bin/sh, -c] }
            """)
        let hooks = try #require(try fixture.stack()["web"]).hooks
        #expect(
            hooks[.preStart] == Hook(.shell("migrate $DB", shell: ["/bin/bash", "-c"]), timeout: .seconds(300)))
        #expect(hooks[.postStop] == Hook(.exec(["./clean", "${ORCH_EXIT_CODE}"])))
        #expect(hooks[.onFailed] == Hook(.shell("page", shell: ["/bin/sh", "-c"])))
        #expect(hooks[.preStop] == nil && hooks[.postReady] == nil)
        #expect(fixture.complaints() == [])
    }

    @Test func whatIsWrongIsSaidWhereItIs() {
        let fixture = Fixture(
            """
            services:
              a: { command: a, hooks: ./prepare.sh }
              b: { command: b, hooks: { prestart: { command: x } } }
              c: { command: c, hooks: { pre_start: {} } }
              d: { command: d, hooks: { pre_stop: { command: x, timeout: 5 } } }
              e: { kind: task, command: e, hooks: { post_ready: { command: x } } }
            """)
        let complaints = fixture.complaints()
        #expect(complaints.count == 5, "\(complaints)")
        for (place, text) in [
            ("2:27", "\"hooks\""), ("3:29", "\"prestart\""), ("4:40", "\"pre_start\" needs a command"),
            ("5:62", "\"timeout\""), ("6:41", "a task is never ready"),
        ] {
            #expect(complaints.contains { $0.hasPrefix(place) && $0.contains(text) }, "\(place) \(text): \(complaints)")
        }
    }
}
