// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct ResourceTests {
    @Test func limitsAreRead() throws {
        let fixture = Fixture(
            """
            host: { disk: { path: data, degraded_above: 95% }, memory: {} }
            services:
              web:
                command: ./web
                resources: { memory: 512MB, cpus: 0.5, pids: 100, files: 4096, threads: 500, on_exceed: restart }
              api: { command: ./api, resources: { cpus: 2 } }
            """)
        let stack = try fixture.stack()
        var limits = ResourceLimits()
        limits.memory = 512_000_000
        limits.cpus = 0.5
        limits.pids = 100
        limits.files = 4096
        limits.threads = 500
        limits.onExceed = .restart
        #expect(stack["web"]?.resources == limits)
        #expect(stack["api"]?.resources.limited == [.cpus])
        #expect(fixture.complaints() == [])
    }

    @Test func thresholdsAreRead() throws {
        let text = "host: { disk: { path: data, degraded_above: 95% }, memory: {} }\nservices: { web: { command: x } }"
        let request = try Fixture(text).request()
        #expect(
            request.stack.host == HostThresholds(disk: .init(path: "/srv/shop/data", degradedAbove: 0.95), memory: 0.9))
        let bare = try Fixture("host: { disk: {} }\nservices: { web: { command: x } }").request()
        #expect(bare.stack.host.disk == .init(path: "/", degradedAbove: 0.9))
    }

    @Test func whatIsWrongIsSaidWhereItIs() {
        let fixture = Fixture(
            """
            host: { disk: { degraded_above: 120% }, memroy: {} }
            services:
              a: { command: a, resources: 512MB }
              b: { command: b, resources: { memory: 512 } }
              c: { command: c, resources: { memory: 0B } }
              d: { command: d, resources: { cpus: 0 } }
              e: { command: e, resources: { cpus: half } }
              f: { command: f, resources: { pids: 0 } }
              g: { command: g, resources: { memory: 1MB, on_exceed: kill } }
              h: { command: h, resources: { on_exceed: stop } }
              i: { command: i, resources: { pids: 10, threads: 5 } }
              j: { command: j, resources: { mem: 1MB } }
            """)
        #expect(
            fixture.complaints() == [
                "1:33 error[range] \"degraded_above\" must be from 0% to 100%, not \"120%\"",
                "1:41 error[unknown-key] \"memroy\" is not a key of host",
                "3:31 error[type] \"resources\" must be a map, not \"512MB\"",
                "4:41 error[size] \"memory\": 512 has no unit",
                "5:41 error[range] \"memory\" must be at least 1B",
                "6:39 error[range] \"cpus\" must be from 0.01 to 1024, not 0",
                "7:39 error[type] \"cpus\" must be a number such as 0.5, not \"half\"",
                "8:39 error[range] \"pids\" must be from 1 to 4194304, not 0",
                "9:57 error[value] \"on_exceed\" can't be \"kill\"",
                "10:33 warning[no-effect] \"on_exceed\" never takes effect: nothing is limited",
                "11:39 warning[no-effect] \"pids\" never takes effect: each process has a thread, and at most 5 are allowed",
                "12:33 error[unknown-key] \"mem\" is not a key of resources",
            ])
    }
}
