// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// The line by which a service says that it is ready.
@Suite struct ReadyLineTests {
    private func sink(_ bench: Workbench, _ format: LoggingSpec.Format = .raw, size: Int64? = nil) -> LogSink {
        LogSink(.file(bench.path("web.log")), format: format, rotate: rotation(size, keep: 1_000))
    }

    /// The write end of a pipe in which `pattern` is awaited.
    private func attach(_ pump: LogPump, _ sink: LogSink, _ pattern: String, _ stream: LogStreamKind = .stdout) throws
        -> Descriptor
    {
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), stream, readEnd: pipe.read, sink: sink, awaiting: pattern)
        return pipe.write
    }

    private func find(_ pump: LogPump) { notices(of: pump) { $0 == .readyLine(LaunchID(1)) } }

    @Test func whatComesBeforeGoesOnAndTheLineWaits() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench), "^ready [0-9]+$")
        put("begins\nnot ready 1\nready 1x\nready 12\nserves\n", writer)
        find(pump)
        awaitFact("what came before it is there") { bench.text("web.log") == "begins\nnot ready 1\nready 1x\n" }
        pump.letGo(LaunchID(1))
        awaitFact("the rest follows") { bench.text("web.log").hasSuffix("ready 1x\nready 12\nserves\n") }
        put("ready 13\nhalf", writer)
        awaitFact("nothing is looked for any more") { bench.text("web.log").hasSuffix("ready 13\nhalf") }
        _ = consume writer
        let last = drain(pump, LaunchID(1))
        pump.stop()
        #expect(!last.contains(.readyLine(LaunchID(1))))
    }

    @Test func aTornLineIsLookedAtWhenItIsWhole() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench), "^ready$")
        put("old\nrea", writer)
        awaitFact("the whole line is there") { bench.text("web.log") == "old\n" }
        put("dy", writer)
        put("\n", writer)
        find(pump)
        #expect(bench.text("web.log") == "old\n")
        pump.letGo(LaunchID(1))
        awaitFact("it goes on") { bench.text("web.log") == "old\nready\n" }
        pump.stop()
    }

    @Test(arguments: [LoggingSpec.Format.raw, .timestamped, .json]) func aLongLineMatchesAtItsBeginning(
        _ format: LoggingSpec.Format
    ) throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, format), "ready")
        // The rest of a line is no line: what it says at its end is not looked at. Two bytes a letter, so that cuts fall between them.
        let long = String(repeating: "é", count: 150_000)
        bench.write("long", long)
        let process = try Process(
            ["/bin/sh", "-c", "printf '%s' \"$(head -c 300000 \"$0\")\"; echo ready; echo ready", bench.path("long")],
            [1: writer.number])
        _ = consume writer
        find(pump)
        pump.letGo(LaunchID(1))
        try process.wait()
        drain(pump, LaunchID(1))
        pump.stop()
        let text = bench.text("web.log")
        let (last, isTorn) = (text.suffix(40), text.utf8.count { $0 == 0xc3 } != text.utf8.count { $0 == 0xa9 })
        #expect(last.contains("ready"), "\(last)")
        #expect(!isTorn, "a letter is torn")
        let isExact = text == long + "ready\nready\n"
        if format == .raw { #expect(isExact, "\(text.utf8.count) bytes") }
    }

    @Test func eitherOutputMayHoldItAndTheOtherGoesOn() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let out = try attach(pump, sink(bench), "up$")
        let err = try attach(pump, LogSink(.file(bench.path("err.log"))), "up$", .stderr)
        put("it is up\n", err)
        find(pump)
        put("one\ntwo\n", out)
        awaitFact("the other one goes on") { bench.text("web.log") == "one\ntwo\n" }
        #expect(bench.text("err.log").isEmpty)
        pump.letGo(LaunchID(1))
        awaitFact("so does this") { bench.text("err.log") == "it is up\n" }
        _ = consume out
        _ = consume err
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func whatIsDiscardedIsLookedAtToo() throws {
        let pump = try LogPump()
        let writer = try attach(pump, LogSink(.discard), "^ready$")
        let flood = try Process(["/bin/sh", "-c", "seq 200000; echo ready; seq 200000"], [1: writer.number])
        _ = consume writer
        find(pump)
        pump.letGo(LaunchID(1))
        #expect(try flood.wait() == 0)
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func aFullDiskDoesNotHideIt() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        // A folder in the place of the file: it can't be written.
        _ = unsafe mkdir(bench.path("web.log"), 0o700)
        let writer = try attach(pump, sink(bench), "^ready$")
        put("ready\n", writer)
        find(pump)
        pump.letGo(LaunchID(1))
        _ = unsafe rmdir(bench.path("web.log"))
        awaitFact("it is written") { bench.text("web.log") == "ready\n" }
        pump.stop()
    }

    /// Rotation and copies of bad lines look at the same bytes, and each line comes once.
    @Test(arguments: [LoggingSpec.Format.raw, .json]) func itGoesTogetherWithTheRest(
        _ format: LoggingSpec.Format
    ) throws {
        let bench = try Workbench()
        let pump = try LogPump()
        var sink = sink(bench, format, size: 20_000)
        sink.levels = .pattern("7$")
        sink.errorFile = bench.path("errors.log")
        let writer = try attach(pump, sink, "^30007$")
        let process = try Process(["/usr/bin/seq", "60000"], [1: writer.number])
        _ = consume writer
        find(pump)
        pump.letGo(LaunchID(1))
        try process.wait()
        drain(pump, LaunchID(1))
        pump.stop()
        let bad = Array(stride(from: 7, to: 60_001, by: 10))
        for (name, expected) in [("web.log", Array(1...60_000)), ("errors.log", bad)] {
            let lines = bench.segments(name).flatMap { $0 }.split(separator: 10)
            #expect(lines.count == expected.count, "\(name)")
            if format == .raw {
                #expect(lines.compactMap { Int(String(decoding: $0, as: UTF8.self)) } == expected, "\(name)")
            }
        }
    }

    /// Who dies between the line and its note leaves it in the pipe, and the next one finds it again.
    @Test func theNextPumpFindsItAgain() throws {
        let bench = try Workbench()
        let pipe = try Descriptor.pipe()
        let kept = try Descriptor("fcntl", fcntl(pipe.read.number, F_DUPFD_CLOEXEC, 100))
        let first = try LogPump()
        first.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: sink(bench), awaiting: "^ready$")
        put("begins\nready\nserves\n", pipe.write)
        find(first)
        awaitFact("what came before it is there") { bench.text("web.log") == "begins\n" }
        first.stop()
        #expect(bench.text("web.log") == "begins\n", "an orderly end leaves it, too")
        let second = try LogPump()
        second.attach(LaunchID(1), .stdout, readEnd: kept, sink: sink(bench), awaiting: "^ready$")
        find(second)
        second.letGo(LaunchID(1))
        awaitFact("all is there once") { bench.text("web.log") == "begins\nready\nserves\n" }
        second.stop()
    }

    /// A launch that is over is not waited for.
    @Test func whoEndsBeforeIsDrained() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench), "^ready$")
        put("ready\nlast", writer)
        find(pump)
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
        #expect(bench.text("web.log") == "ready\nlast")
    }
}
