// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

@Suite struct FrameTests {
    private let messages: [Value] = [
        Hello().value, Request(id: 7, command: .daemonStatus).value, ["x": .string(String(repeating: "é", count: 300))],
    ]

    @Test func framesCutAtEveryByteArriveWhole() throws {
        let stream = messages.flatMap { Frame.encode($0) }
        for cut in 0...stream.count {
            var buffer = FrameBuffer()
            var found: [Value] = []
            for piece in [stream[..<cut], stream[cut...]] {
                buffer.append(Array(piece))
                while let value = try buffer.next() { found.append(value) }
            }
            #expect(found == messages, "cut at \(cut)")
            #expect(!buffer.isInsideFrame)
        }
    }

    @Test func singleBytesMakeFramesToo() throws {
        var buffer = FrameBuffer()
        var found: [Value] = []
        for byte in messages.flatMap({ Frame.encode($0) }) {
            buffer.append([byte])
            while let value = try buffer.next() { found.append(value) }
        }
        #expect(found == messages)
    }

    @Test(
        arguments: [
            [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], Array("GET / HTTP/1.1\r\n".utf8), [0, 0, 0, 2, 0x7b, 0x7b],
            [0, 0, 4, 1],
        ] as [[UInt8]])
    func malformedFramesAreRefused(bytes: [UInt8]) {
        var buffer = FrameBuffer(limit: 1024)
        buffer.append(bytes)
        #expect(throws: FrameError.self) { try buffer.next() }
    }

    @Test func flippedBytesNeverMakeWhatWasNotSent() {
        var generator = ValueGenerator(seed: 42)
        let stream = messages.flatMap { Frame.encode($0) }
        for _ in 0..<5_000 {
            var damaged = stream
            for _ in 0...generator.below(3) {
                damaged[generator.below(damaged.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            var buffer = FrameBuffer(limit: 4096)
            buffer.append(damaged)
            var frames = 0
            while let value = try? buffer.next() {
                frames += 1
                _ = try? Request(value)
                _ = try? Reply(value)
            }
            #expect(frames <= damaged.count / 5)
        }
    }
}

@Suite struct MessageTests {
    private let status = InstanceStatus(
        id: InstanceID(service: ServiceID(stack: "s", service: "web")), label: "web", kind: .service, phase: .ready,
        since: WallTime(nanoseconds: 5_000_000))
    private let occurrence = Occurrence(
        time: WallTime(nanoseconds: 1_000_000), stack: "s", kind: .applied, cause: "asked")

    @Test func everyReplyReadsBackAsItself() throws {
        let daemon = DaemonStatus(
            pid: 3, startedAt: WallTime(nanoseconds: 0), stacks: 1, instances: 2, launches: 2, clients: 1,
            isShuttingDown: false, remarks: ["x"])
        let bodies: [Reply.Body] = [
            .accepted(Plan(stack: "s", revision: "r", changes: [Change(.create, "web")]), text: nil),
            .accepted(nil, text: "done"),
            .status([StackStatus(name: "s", revision: "r", manifestPath: "/m", phase: .ready, instances: [status])]),
            .plan(Plan(stack: "s", revision: "r", changes: [])), .instance(status), .gone(status.id),
            .there(7), .recalled(nil),
            .recalled(
                Recollection(
                    stack: "s",
                    origin: ManifestOrigin(
                        digest: Digest(of: []), files: ["/a"], variables: ["B"], inheritance: ["C*"], users: ["d"],
                        zones: ["UTC"]))),
            .occurrence(occurrence),
            .rotated([
                LogRotation(status.id, .both, file: "/a", .rotated(segment: "/a.1")),
                LogRotation(status.id, .stderr, file: "/b", .failed("no")),
                LogRotation(status.id, .stdout, file: "/c", .empty),
                LogRotation(status.id, .stdout, file: "/d", .shared),
                LogRotation(status.id, .stdout, file: "/e", .unfinished),
                LogRotation(status.id, .errors, file: "/f", .forgotten),
            ]),
            .verdict(.failed("no")), .why([Explanation(status: status, chain: [occurrence])]), .daemon(daemon),
            .refusal(.otherVersion(client: "0", daemon: "1")), .end,
        ]
        for body in bodies {
            let reply = Reply(id: .max, body)
            #expect(try Reply(JSON.parse(JSON.bytes(of: reply.value))) == reply)
        }
    }

    @Test func rowsAreWrittenAsTheirValuesAre() throws {
        var full = status
        full.id = InstanceID(service: ServiceID(stack: "s\"", service: "ü"), replica: 3)
        full.label = "line\nfeed"
        full.kind = .task
        full.health = .unhealthy
        full.pid = 77
        full.launch = LaunchID(.max)
        full.restarts = 4
        full.startedAt = WallTime(nanoseconds: -1)
        full.readyAt = WallTime(nanoseconds: 1_700_000_000_123_456_789)
        full.exit = .signal(.kill, coreDumped: true)
        full.reason = "waits \\ for \u{7f}"
        full.position = Position(file: "orch.yaml", line: 3, column: 4)
        full.until = WallTime(nanoseconds: 9)
        full.ports = [
            AssignedPort(name: nil, port: 80, transport: .tcp), AssignedPort(name: "x", port: 53, transport: .udp),
        ]
        full.cpuPercent = 0.1
        full.memoryBytes = 1 << 40
        full.stdoutLog = "/logs/out"
        full.redactedLog = ["a\"", "b"]
        full.secretFiles = ["/c\"", "/d"]
        full.tracking = "cgroup"
        full.said = "hello"
        full.logTrouble = "it hangs"
        full.runs = [
            ScheduledRun(
                due: nil, startedAt: nil, endedAt: WallTime(nanoseconds: 5), exit: .code(1), result: .failed,
                attempts: 2)
        ]
        full.limits = [
            LimitStatus(resource: .cpus, limit: 0.5, use: nil, isHeld: true, exceededSince: nil),
            LimitStatus(
                resource: .files, limit: 10, use: 12, isHeld: false, exceededSince: WallTime(nanoseconds: 7)),
        ]
        var stack = StackStatus(
            name: "s", revision: "r", manifestPath: "/m", phase: .failed, instances: [status, full])
        let plain = stack
        stack.host = [HostStatus(resource: .disk("/"), degradedAbove: 0.9, used: 0.5, degradedSince: nil)]
        stack.stoppedBy = StackStop(instance: full.id, reason: "it ended", exit: .code(3))
        for body in [
            Reply.Body.status([]), .status([plain, stack]), .instance(full), .instance(status), .there(3),
            .recalled(nil),
        ] {
            let reply = Reply(id: 12, body)
            var bytes = [UInt8(1)]
            Frame.append(reply, to: &bytes)
            #expect(Array(bytes.dropFirst()) == Frame.encode(reply.value))
        }
    }

    @Test func requestsAndHelloReadBack() throws {
        let request = Request(
            id: 9, command: .stop([Target(stack: "s", service: "web", replica: 2)], timeout: .seconds(5)))
        #expect(try Request(JSON.parse(JSON.bytes(of: request.value))) == request)
        #expect(try Hello(Hello().value).isSameVersion)
        #expect(try !Hello(["orch": "9.9.9", "protocol": 1]).isSameVersion)
    }

    @Test func theDocumentedKeysOfAStatusAreThere() throws {
        let keys = status.value.members?.map(\.key) ?? []
        for key in [
            "service", "instance", "phase", "health", "pid", "launch", "restarts", "started_at", "ready_at", "exit",
            "reason", "ports", "cpu_percent",
            "memory_bytes", "log",
        ] { #expect(keys.contains(key)) }
        let event = occurrence.value.members?.map(\.key) ?? []
        for key in ["time", "stack", "service", "instance", "launch", "event", "cause", "exit"] {
            #expect(event.contains(key))
        }
    }
}
