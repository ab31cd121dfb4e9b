// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct WatchTests {
    @Test func rulesAreRead() throws {
        let fixture = Fixture(
            """
            services:
              web:
                command: ./web
                shell: [/bin/bash, -c]
                watch:
                  - ./src
                  - { path: /etc/web.conf, debounce: 0s, action: { signal: HUP } }
                  - { path: assets, include: ["*.css", "a/*"], ignore: ["*.min.css"], action: { command: 'make $X' } }
                  - { path: assets, action: restart, cascade: true }
                  - { path: /etc/x, action: reload }
                reload: { signal: HUP }
            """)
        let watch = try #require(try fixture.stack()["web"]).watch
        var conf = WatchRule(path: "/etc/web.conf")
        conf.debounce = .zero
        conf.action = .signal(.hangup)
        var assets = WatchRule(path: "/srv/shop/assets")
        assets.include = ["*.css", "a/*"]
        assets.ignore = ["*.min.css"]
        assets.action = .command(.shell("make $X", shell: ["/bin/bash", "-c"]))
        var cascade = WatchRule(path: "/srv/shop/assets")
        cascade.cascade = true
        var reload = WatchRule(path: "/etc/x")
        reload.action = .reload
        #expect(watch == [WatchRule(path: "/srv/shop/src"), conf, assets, cascade, reload])
        #expect(fixture.complaints() == [])
    }

    @Test func whatIsWrongIsSaidWhereItIs() {
        let fixture = Fixture(
            """
            services:
              a: { command: a, watch: src }
              b: { command: b, watch: [{ include: ["*"] }] }
              c: { command: c, watch: [{ path: x, include: [] }] }
              d: { command: d, watch: [{ path: x, action: restrat }] }
              e: { command: e, watch: [{ path: x, action: { signal: HUP, command: y } }] }
              f: { command: f, watch: [{ path: x, action: { signal: HUP }, cascade: true }] }
              g: { command: g, watch: [{ path: x, action: {} }] }
              h: { command: h, watch: [{ path: x, action: reload }] }
            """)
        #expect(
            fixture.complaints() == [
                "2:27 error[type] \"watch\" must be a list of paths and what a change of them does, not \"src\"",
                "3:28 error[missing] a watch rule needs a path",
                "4:48 error[value] \"include\" is empty: no file would count",
                "5:47 error[value] \"action\" can't be \"restrat\"",
                "6:62 error[conflict] an action is one of signal and command",
                "7:64 warning[no-effect] only a restart goes on to the services that need this one",
                "8:47 error[missing] an action is restart, reload, a signal or a command",
                "9:47 error[missing] this action needs to know how the service reloads",
            ])
    }
}
