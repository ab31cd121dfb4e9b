// SPDX-License-Identifier: Apache-2.0

import Glibc
@testable import OrchLinux
import OrchModel
import Testing

@Suite struct LaunchContextTests {
    private func context(_ entries: [String]) -> LaunchContext {
        var context = LaunchContext(
            instance: InstanceID(service: ServiceID(stack: "s", service: "web"), replica: 2), label: "web.2",
            program: "/bin/web", directory: "/srv", environment: LaunchEnvironment(entries))
        context.user = "www"
        context.fileLimit = 4096
        context.ports = [AssignedPort(name: "http", port: 8080, transport: .tcp)]
        context.pipes = [.stdout, .stderr]
        context.pipeInodes = [7, 8]
        return context
    }

    /// What the next daemon reads it leaves packed, until somebody asks.
    @Test func whatWasWrittenReadsAndIsWrittenAlike() throws {
        for entries in [[], [""], ["A=1"], ["A=1", "B=ü =x", "PATH=/bin:/usr/bin", "PORT=8080"]] {
            let written = context(entries)
            let read = try #require(LaunchContext(encoded: written.encoded))
            #expect(read == written)
            #expect(read.encoded == written.encoded)
            #expect(read.environment.entries == entries)
            #expect(read.environment.searchPath == written.environment.searchPath)
            #expect(read.environment.launchVariables == written.environment.launchVariables)
            #expect(read.environment.serving(LaunchID(9)) == written.environment.serving(LaunchID(9)))
            var secretive = written
            secretive.secrets = [.init(name: "TOKEN", file: "/run/token"), .init(name: "", file: "/x")]
            #expect(LaunchContext(encoded: secretive.encoded) == secretive)
        }
        #expect(LaunchContext(encoded: Array(context([]).encoded.dropLast(40))) == nil)
    }

    /// A daemon that dies while it gives a launch another name leaves the one or the other, never a part.
    @Test func oneThatIsReplacedIsWholeAllTheTime() throws {
        var template = Array("/tmp/orch-test-context-XXXXXX".utf8CString)
        let directory = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
        defer {
            for name in SmallFile.names(in: directory) { unsafe unlink("\(directory)/\(name)") }
            unsafe rmdir(directory)
        }
        #expect(try LaunchContext.load(LaunchID(5), from: directory) == nil)
        let first = context(["A=1"])
        try first.save(LaunchID(5), in: directory)
        // A reader that opened it before sees all of what it was.
        let opened = try SmallFile.open("\(directory)/5", O_RDONLY)
        var second = first
        second.label = "shop.2"
        second.instance.service.service = "shop"
        try second.replace(LaunchID(5), in: directory)
        #expect(try LaunchContext(encoded: SmallFile.read(from: opened.number, limit: 1 << 20)) == first)
        #expect(try LaunchContext.load(LaunchID(5), from: directory) == second)
        #expect(SmallFile.names(in: directory) == ["5"])
    }
}
