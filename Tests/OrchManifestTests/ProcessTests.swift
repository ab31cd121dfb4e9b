// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct ProcessTests {
    private func process(_ lines: String...) throws -> ProcessSpec {
        let text = (["services:", "  web:", "    command: [web]"] + lines.map { "    " + $0 }).joined(separator: "\n")
        return try #require(try Fixture(text).load().get().request.stack.services.first).process
    }

    @Test func whatTheKernelIsAskedForIsRead() throws {
        let found = try process(
            "group_add: [video, \"4242\", video]", "umask: 0027", "nice: -5", "io_class: best-effort:6",
            "cpu_affinity: [8, 0-2, \"1,3\"]",
            "ulimits: { core: 0, nofile: { soft: 100, hard: unlimited }, memlock: 64MiB, nproc: -1 }",
            "security: { no_new_privileges: true, capabilities: [net_bind_service, CAP_CHOWN, cap_chown] }")
        var wanted = ProcessSpec()
        wanted.groupAdd = ["4242", "video"]
        wanted.umask = 0o27
        wanted.nice = -5
        wanted.ioClass = IOClass(.bestEffort, level: 6)
        wanted.cpuAffinity = [0, 1, 2, 3, 8]
        wanted.ulimits = [
            Ulimit(.core, soft: 0, hard: 0), Ulimit(.nproc, soft: nil, hard: nil),
            Ulimit(.nofile, soft: 100, hard: nil),
            Ulimit(.memlock, soft: 64 << 20, hard: 64 << 20),
        ]
        wanted.noNewPrivileges = true
        wanted.capabilities = [.chown, .netBindService]
        #expect(found == wanted)
        #expect(try process() == ProcessSpec())
        #expect(
            try process("umask: 0o77", "cpu_affinity: 0-1,3", "security: { capabilities: all }").cpuAffinity == [
                0, 1, 3,
            ])
        #expect(try process("security: { capabilities: [] }").capabilities == [])
    }

    @Test func whatTheKernelHasNotIsSaidWhereItStands() {
        let fixture = Fixture(
            """
            name: shop
            services:
              web:
                command: [web]
                group_add: video
                umask: 22
                nice: 20
                io_class: best-efort
                cpu_affinity: [0, 3-1, a, 1024]
                ulimits: { nofil: 3, core: lots, nofile: { soft: 10, hard: 5 }, cpu: { soft: 1 }, nproc: -2 }
                security: { capabilities: [net_bind_servce] }
              db:
                command: [db]
                umask: 0999
                io_class: idle:3
                security: { capabilities: none }
            """)
        #expect(
            fixture.complaints() == [
                "5:16 error[type] \"group_add\" must be a list of groups, not \"video\"",
                "6:12 error[value] \"umask\": \"22\" is not an octal number from 0000 to 0777",
                "7:11 error[range] \"nice\" must be from -20 to 19, not 20",
                "8:15 error[value] \"io_class\" can't be \"best-efort\"",
                "9:23 error[value] \"cpu_affinity\": \"3-1\" is no CPU or range of CPUs",
                "9:28 error[value] \"cpu_affinity\": \"a\" is no CPU or range of CPUs",
                "9:31 error[value] \"cpu_affinity\": \"1024\" is no CPU or range of CPUs",
                "10:16 error[unknown-key] \"nofil\" is not a key of ulimits",
                "10:32 error[type] \"core\" must be a number of bytes, a size, or unlimited, not \"lots\"",
                "10:54 error[range] \"nofile\": the soft limit is above the hard one",
                "10:74 error[missing] \"cpu\" needs soft and hard",
                "10:94 error[type] \"nproc\" must be a whole number, or unlimited, not \"-2\"",
                "11:32 error[value] \"capabilities\": there is no capability \"net_bind_servce\"",
                "14:12 error[value] \"umask\": \"0999\" is not an octal number from 0000 to 0777",
                "15:15 error[value] \"io_class\": \"idle:3\" has no such level",
                "16:31 error[value] \"capabilities\" can't be \"none\"",
            ])
        #expect(fixture.rendered().contains("help: did you mean \"022\"?"))
        #expect(fixture.rendered().contains("help: did you mean \"CAP_NET_BIND_SERVICE\"?"))
    }
}
