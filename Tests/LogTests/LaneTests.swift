// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// Logs on several file systems: `/tmp`, where the daemon is said to live, and `/dev/shm`, which has another thread.
@Suite(.enabled("/dev/shm is another file system") { isElsewhere("/dev/shm", than: "/tmp") }) struct LaneTests {
    private let bench: Workbench
    private let elsewhere: Workbench
    private let pump: LogPump

    init() throws {
        bench = try Workbench()
        elsewhere = try Workbench(in: "/dev/shm")
        pump = try LogPump(home: bench.folder)
    }

    private func attach(_ launch: UInt64, _ stream: LogStreamKind?, _ sink: LogSink) throws -> Descriptor {
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(launch), stream, readEnd: pipe.read, sink: sink)
        return pipe.write
    }

    @Test func aLaunchWithLogsOnTwoIsDrainedOnce() throws {
        let near = try attach(1, .stdout, LogSink(.file(bench.path("out.log"))))
        let far = try attach(1, .stderr, LogSink(.file(elsewhere.path("err.log"))))
        put("near\n", near)
        put("far\n", far)
        _ = consume near
        _ = consume far
        let said = drain(pump, LaunchID(1))
        #expect(said == [.drained(LaunchID(1), bytesLeft: 0)])
        #expect(bench.text("out.log") == "near\n" && elsewhere.text("err.log") == "far\n")
        // Whatever comes behind the last one has come when another launch is drained.
        #expect(drain(pump, LaunchID(2)) == [.drained(LaunchID(2), bytesLeft: 0)])
        #expect(pump.stop())
    }

    @Test func aRotationOfBothIsAnsweredOnceAndInOrder() throws {
        var logging = LoggingSpec()
        logging.stdout = .file(elsewhere.path("out.log"))
        logging.stderr = .file(bench.path("err.log"))
        let web = LogRotation.Subject(InstanceID(service: ServiceID(stack: "shop", service: "web")), logging)
        let far = try attach(1, .stdout, LogSink(.file(elsewhere.path("out.log"))))
        put("far\n", far)
        // Nobody writes this one just now.
        bench.write("err.log", "near\n")
        pump.rotate(7, [web, subject(bench, "none.log")], state: bench.folder)
        let files = rotated(7, by: pump)
        #expect(files.map(\.file) == [elsewhere.path("out.log"), bench.path("err.log"), bench.path("none.log")])
        #expect(
            files.map(\.outcome) == [
                .rotated(segment: elsewhere.path("out.log.1")), .rotated(segment: bench.path("err.log.1")), .empty,
            ])
        #expect(pump.giveUpRotation(7).isEmpty, "it is answered")
        _ = consume far
        drain(pump, LaunchID(1))
        pump.stop()
    }

    /// Back and forth under load: each line is in one of the files, once, and the launch is drained once.
    @Test func anOutputThatMovesLosesNothing() throws {
        let count = 60_000
        let sinks = [elsewhere, bench].map { LogSink(.file($0.path("web.log"))) }
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("web.log"))))
        // A line in each write.
        let words = ["/bin/sh", "-c", "i=0; while [ $i -lt \(count) ]; do i=$((i+1)); echo $i; done"]
        let writer = try Process(words, [1: pipe.write.number])
        _ = consume pipe.write
        for number in 0..<40 {
            pump.reconfigure(LaunchID(1), .stdout, sink: sinks[number % 2])
            // Words of threads that let it go are heard with the others.
            var poll = pollfd(fd: pump.noticeDescriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe Glibc.poll(&poll, 1, 20)
            #expect(pump.takeNotices().isEmpty)
        }
        pump.reconfigure(LaunchID(1), .stdout, sink: sinks[0])
        // The last one goes on only when it is heard that it was let go.
        var status: Int32 = 0
        awaitFact("all is written") {
            let isQuiet = pump.takeNotices().isEmpty
            let ended = unsafe waitpid(writer.pid, &status, WNOHANG)
            return isQuiet && ended == writer.pid
        }
        #expect(drain(pump, LaunchID(1)) == [.drained(LaunchID(1), bytesLeft: 0)])
        pump.stop()
        let halves = [bench, elsewhere].map { $0.text("web.log").split(separator: "\n").compactMap { Int($0) } }
        #expect(halves.allSatisfy { !$0.isEmpty && $0 == $0.sorted() })
        #expect((halves[0] + halves[1]).sorted() == Array(1...count))
    }

    /// A thread writes its files alone. An output whose two files belong to two threads can't have both.
    @Test func aFileHasOneThreadWhoeverWritesIt() throws {
        func sink(_ path: String, errors: String?) -> LogSink {
            var sink = LogSink(.file(path))
            sink.levels = .prefix
            sink.errorFile = errors
            return sink
        }
        let errors = elsewhere.path("errors.log")
        let first = try attach(1, nil, sink(bench.path("first.log"), errors: nil))
        let second = try attach(2, nil, sink(bench.path("second.log"), errors: errors))
        let third = try attach(3, nil, sink(bench.path("third.log"), errors: errors))
        let fourth = try attach(4, nil, sink(bench.path("first.log"), errors: errors))
        let said = notices(of: pump) { $0.says("are not copied to \(errors)") }
        #expect(said.count == 1 && said.contains { $0.says(bench.path("first.log")) })
        put("ERROR two\n", second)
        put("ERROR three\n", third)
        put("ERROR four\n", fourth)
        _ = consume first
        _ = consume second
        _ = consume third
        _ = consume fourth
        for launch in 1...4 { drain(pump, LaunchID(UInt64(launch))) }
        #expect(elsewhere.text("errors.log").split(separator: "\n").sorted() == ["ERROR three", "ERROR two"])
        #expect(bench.text("first.log") == "ERROR four\n")
        pump.stop()
    }
}
