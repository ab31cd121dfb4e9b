// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// A datagram socket as journald or a syslog daemon has it, at a path of the bench.
private final class Listener {
    let descriptor: Descriptor
    private(set) var messages: [String] = []

    init(_ path: String) throws {
        descriptor = try Descriptor(
            "socket", socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0, "bind \(path): \(errno)")
    }

    /// Reads what has come.
    func hear() {
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            let count = unsafe recv(descriptor.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return }
            messages.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }

    /// The fields of a message of journald's native protocol.
    func fields(_ place: Int) -> [String: String] {
        var fields: [String: String] = [:]
        for line in messages[place].split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(parts[0])] = parts.count > 1 ? String(parts[1]) : nil
        }
        return fields
    }
}

/// Copies for the machine's own log.
@Suite struct ForwardTests {
    private let web = InstanceID(service: ServiceID(stack: "shop", service: "web"), replica: 2)

    private func pump(_ bench: Workbench) throws -> LogPump {
        var paths = ForwardPaths()
        paths.journald = bench.path("journal")
        paths.syslog = bench.path("log")
        return try LogPump(forwarding: paths)
    }

    private func attach(
        _ pump: LogPump, _ bench: Workbench, _ forward: LoggingSpec.Forward, _ stream: LogStreamKind? = .stdout,
        levels: LoggingSpec.Levels.Source? = nil, strips: Bool = false
    ) throws -> Descriptor {
        let pipe = try Descriptor.pipe()
        var sink = LogSink(
            .file(bench.path("\(stream?.rawValue ?? "both").log")), rotate: rotation(nil), stripANSI: strips)
        sink.forward = forward
        sink.instance = web
        sink.levels = levels
        pump.attach(LaunchID(7), stream, readEnd: pipe.read, sink: sink)
        return pipe.write
    }

    @Test func journaldGetsEachLineWithWhoseItIs() throws {
        let bench = try Workbench()
        let journal = try Listener(bench.path("journal"))
        let pump = try pump(bench)
        let out = try attach(pump, bench, .journald)
        let errors = try attach(pump, bench, .journald, .stderr)
        pump.name(LaunchID(7), pid: 4711)
        put("one\nfriendly = yes\nhalf", out)
        awaitFact("both lines are there") {
            journal.hear()
            return journal.messages.count == 2
        }
        try #require(journal.messages.count == 2)
        #expect(
            journal.fields(0) == [
                "MESSAGE": "one", "PRIORITY": "6", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "shop.web",
                "ORCH_STACK": "shop", "ORCH_SERVICE": "web", "ORCH_INSTANCE": "web.2", "ORCH_LAUNCH": "7",
                "ORCH_STREAM": "stdout", "SYSLOG_PID": "4711", "OBJECT_PID": "4711",
            ])
        #expect(journal.fields(1)["MESSAGE"] == "friendly = yes")
        put("bad\n", errors)
        awaitFact("the third is") {
            journal.hear()
            return journal.messages.count == 3
        }
        try #require(journal.messages.count == 3)
        #expect(journal.fields(2)["PRIORITY"] == "3" && journal.fields(2)["ORCH_STREAM"] == "stderr")
        _ = consume out
        _ = consume errors
        drain(pump, LaunchID(7))
        journal.hear()
        try #require(journal.messages.count == 4)
        #expect(journal.fields(3)["MESSAGE"] == "half", "the last line has its end with its writer's")
        pump.stop()
        #expect(bench.text("stdout.log") == "one\nfriendly = yes\nhalf" && bench.text("stderr.log") == "bad\n")
    }

    @Test func theLevelOfALineIsItsPriority() throws {
        let bench = try Workbench()
        let journal = try Listener(bench.path("journal"))
        let pump = try pump(bench)
        let writer = try attach(pump, bench, .journald, .stderr, levels: .prefix)
        put("<2>dying\nINFO fine\nwho knows\nWARN so so\n", writer)
        awaitFact("all are there") {
            journal.hear()
            return journal.messages.count == 4
        }
        try #require(journal.messages.count == 4)
        #expect((0..<4).map { journal.fields($0)["PRIORITY"] } == ["2", "6", "3", "4"])
        _ = consume writer
        drain(pump, LaunchID(7))
        pump.stop()
    }

    @Test func syslogGetsWhatTheLibraryWouldSend() throws {
        let bench = try Workbench()
        let syslog = try Listener(bench.path("log"))
        let pump = try pump(bench)
        let writer = try attach(pump, bench, .syslog, nil, strips: true)
        pump.name(LaunchID(7), pid: 12)
        put("\u{1b}[31mred\u{1b}[0m\n" + String(repeating: "x", count: 20_000) + "\n", writer)
        awaitFact("both lines are there") {
            syslog.hear()
            return syslog.messages.count == 2
        }
        try #require(syslog.messages.count == 2)
        let pattern = try RegularExpression(
            "^<30>[A-Z][a-z][a-z] [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9] shop.web.12.: red$")
        #expect(pattern.firstMatch(in: Array(syslog.messages[0].utf8).span) != nil, "\(syslog.messages[0])")
        #expect(syslog.messages[1].utf8.count == Limits.syslogBytes)
        _ = consume writer
        drain(pump, LaunchID(7))
        pump.stop()
    }

    @Test func nobodyListeningIsSaidOnceAndTheFileHasAll() throws {
        let bench = try Workbench()
        let pump = try pump(bench)
        let writer = try attach(pump, bench, .journald)
        put("one\ntwo\n", writer)
        awaitFact("the file has them") { bench.text("stdout.log") == "one\ntwo\n" }
        let said = notices(of: pump) { $0.says("journald does not get all lines") }
        #expect(said.contains { $0.says("No such file or directory") && $0.says(bench.path("journal")) })
        let journal = try Listener(bench.path("journal"))
        var sent = 2
        awaitFact("it is tried again, and gets lines") {
            sent += 1
            put("line \(sent)\n", writer)
            journal.hear()
            return !journal.messages.isEmpty
        }
        var more = pump.takeNotices()
        #expect(more.count { $0.says("does not get all lines") } == 0, "said once")
        awaitFact("that it is over is said, with what is missing") {
            put("and on\n", writer)
            journal.hear()
            more += pump.takeNotices()
            return more.contains { $0.says("gets lines again; ") }
        }
        #expect(more.contains { $0.says("lines were not forwarded") })
        _ = consume writer
        drain(pump, LaunchID(7))
        pump.stop()
        #expect(bench.text("stdout.log").hasPrefix("one\ntwo\nline 3\n"))
    }

    @Test func whoDoesNotReadHoldsNobodyUp() throws {
        let bench = try Workbench()
        let syslog = try Listener(bench.path("log"))
        let pump = try pump(bench)
        let writer = try attach(pump, bench, .syslog)
        let process = try Process(["/usr/bin/seq", "100000"], [1: writer.number])
        _ = consume writer
        #expect(try process.wait() == 0)
        let said = drain(pump, LaunchID(7))
        let whole = Array((1...100_000).map { "\($0)\n" }.joined().utf8)
        #expect(same(bench.bytes(bench.path("stdout.log")), whole), "the file has every line")
        #expect(said.contains { $0.says("syslog does not get all lines: it takes lines too slowly") })
        awaitFact("what waited comes, in order") {
            syslog.hear()
            return syslog.messages.count > 5_000
        }
        let numbers = syslog.messages.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(numbers.count == syslog.messages.count && numbers == numbers.sorted() && numbers.first == 1)
        pump.stop()
    }

    @Test func aNewListenerAtTheSamePlaceIsFound() throws {
        let bench = try Workbench()
        var first: Listener? = try Listener(bench.path("journal"))
        let pump = try pump(bench)
        let writer = try attach(pump, bench, .journald)
        put("one\n", writer)
        awaitFact("the first hears") {
            first?.hear()
            return first?.messages.count == 1
        }
        first = nil
        #expect(unsafe unlink(bench.path("journal")) == 0)
        let second = try Listener(bench.path("journal"))
        put("two\n", writer)
        awaitFact("the second hears, and nothing is missing") {
            second.hear()
            return second.messages.count == 1
        }
        try #require(second.messages.count == 1)
        #expect(second.fields(0)["MESSAGE"] == "two")
        #expect(!pump.takeNotices().contains { $0.isRemark })
        _ = consume writer
        drain(pump, LaunchID(7))
        pump.stop()
    }
}
