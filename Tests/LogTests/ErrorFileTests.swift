// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// Copies of bad lines.
@Suite struct ErrorFileTests {
    private func sink(
        _ bench: Workbench, _ from: LoggingSpec.Levels.Source, format: LoggingSpec.Format = .raw, size: Int64? = nil,
        whenFull: LoggingSpec.WhenFull = .block
    ) -> LogSink {
        var sink = LogSink(
            .file(bench.path("web.log")), format: format, rotate: rotation(size, keep: 1_000), whenFull: whenFull)
        sink.levels = from
        sink.errorFile = bench.path("errors.log")
        return sink
    }

    private func attach(_ pump: LogPump, _ sink: LogSink, _ stream: LogStreamKind = .stdout) throws -> Descriptor {
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), stream, readEnd: pipe.read, sink: sink)
        return pipe.write
    }

    @Test func badLinesAreCopiedAndAllStayWhereTheyWere() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .prefix))
        let text = "INFO begins\nERROR one\nplain\n[error] two\nWARN x\nlevel=error three"
        put(text, writer)
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
        #expect(bench.text("web.log") == text, "not a byte is another one")
        #expect(bench.text("errors.log") == "ERROR one\n[error] two\nlevel=error three\n")
        #expect(bench.entries("errors.log").first?.launch == LaunchID(1))
    }

    @Test func aLineIsLookedAtWhenItIsWhole() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .json))
        put(#"{"msg":"a","#, writer)
        put(#""level":"error"}"# + "\n" + #"{"level":"info","#, writer)
        awaitFact("the first line is there") { bench.text("errors.log") == #"{"msg":"a","level":"error"}"# + "\n" }
        #expect(bench.text("web.log") == bench.text("errors.log"), "half a line waits for its end")
        put(#""msg":"b"}"# + "\n", writer)
        awaitFact("the second is") { bench.text("web.log").hasSuffix(#"{"level":"info","msg":"b"}"# + "\n") }
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
        #expect(bench.text("errors.log") == #"{"msg":"a","level":"error"}"# + "\n")
    }

    @Test(arguments: [LoggingSpec.Format.timestamped, .json]) func theCopyHasTheFormatOfTheLog(
        _ format: LoggingSpec.Format
    ) throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .pattern("^bad"), format: format))
        put("good\nbad one\ngood\nbad two\n", writer)
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
        let lines = bench.text("web.log").split(separator: "\n")
        #expect(lines.count == 4)
        #expect(bench.text("errors.log") == lines.filter { $0.contains("bad") }.map { $0 + "\n" }.joined())
    }

    @Test func bothFilesRotateByThemselvesBetweenLines() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .pattern("7$"), size: 10_000))
        let process = try Process(["/usr/bin/seq", "60000"], [1: writer.number])
        _ = consume writer
        #expect(try process.wait() == 0)
        drain(pump, LaunchID(1))
        pump.stop()
        let (all, bad) = (bench.segments("web.log"), bench.segments("errors.log"))
        let written = Array((1...60_000).map { "\($0)\n" }.joined().utf8)
        let copied = Array((1...60_000).filter { $0 % 10 == 7 }.map { "\($0)\n" }.joined().utf8)
        #expect(same(all.flatMap { $0 }, written))
        #expect(same(bad.flatMap { $0 }, copied))
        #expect(bad.count > 3 && bad.allSatisfy { $0.count <= 10_000 && ($0.isEmpty || $0.last == 10) })
    }

    @Test func aLineThatIsLongerThanItsPipeIsJudgedByItsBeginning() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .prefix))
        let long = "ERROR " + String(repeating: "x", count: 300_000)
        let text = "a\n\(long)\nINFO \(long)\nend\n"
        let copy = try Descriptor("dup", fcntl(writer.number, F_DUPFD_CLOEXEC, 3))
        _ = consume writer
        // More than the pipe holds: it is emptied meanwhile.
        put(text, copy)
        _ = consume copy
        drain(pump, LaunchID(1))
        pump.stop()
        #expect(bench.text("web.log") == text)
        #expect(bench.text("errors.log").filter { $0 != "\n" } == long, "in parts, and nothing of the other one")
    }

    @Test func errorsThatCannotBeWrittenHoldTheirWriterAndComeOnceAfterwards() throws {
        let bench = try Workbench()
        #expect(unsafe mkdir(bench.path("errors.log"), 0o700) == 0)
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .prefix))
        put("ok\nERROR one\n", writer)
        notices(of: pump) { $0.says("errors.log can't be written") }
        #expect(bench.text("web.log") == "")
        #expect(unsafe rmdir(bench.path("errors.log")) == 0)
        awaitFact("it goes on") { bench.text("web.log") == "ok\nERROR one\n" }
        #expect(bench.text("errors.log") == "ERROR one\n")
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func errorsThatMayBeDroppedAreCountedAndTheLogGoesOn() throws {
        let bench = try Workbench()
        #expect(unsafe mkdir(bench.path("errors.log"), 0o700) == 0)
        let pump = try LogPump()
        let writer = try attach(pump, sink(bench, .prefix, whenFull: .drop))
        put("ok\nERROR one\nERROR two\n", writer)
        awaitFact("the log goes on") { bench.text("web.log") == "ok\nERROR one\nERROR two\n" }
        #expect(unsafe rmdir(bench.path("errors.log")) == 0)
        awaitFact("what is missing is said") { bench.text("errors.log").contains("orch: dropped 2 lines (20 bytes)") }
        put("ERROR three\n", writer)
        awaitFact("it is copied again") { bench.text("errors.log").hasSuffix("ERROR three\n") }
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func bothOutputsShareTheFileAndItIsRotatedOnDemand() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        var second = sink(bench, .prefix)
        second.destination = .file(bench.path("other.log"))
        let first = try attach(pump, sink(bench, .prefix))
        let other = try attach(pump, second, .stderr)
        put("ERROR one\n", first)
        awaitFact("the first is there") { bench.text("errors.log") == "ERROR one\n" }
        put("ERROR two\n", other)
        awaitFact("the second is there") { bench.text("errors.log") == "ERROR one\nERROR two\n" }
        var logging = LoggingSpec()
        logging.stdout = .file(bench.path("web.log"))
        logging.stderr = .file(bench.path("other.log"))
        logging.levels = LoggingSpec.Levels(from: .prefix, errorFile: bench.path("errors.log"))
        let web = LogRotation.Subject(InstanceID(service: ServiceID(stack: "shop", service: "web")), logging)
        pump.rotate(1, [web], state: bench.folder)
        let files = rotated(1, by: pump)
        #expect(files.map(\.output) == [.stdout, .stderr, .errors])
        #expect(files.last?.outcome == .rotated(segment: bench.path("errors.log.1")))
        _ = consume first
        _ = consume other
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func itIsTakenUpAndGivenUpWhileTheServiceRuns() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        var plain = sink(bench, .prefix)
        plain.levels = nil
        plain.errorFile = nil
        let writer = try attach(pump, plain)
        put("ERROR one\n", writer)
        awaitFact("it is written") { bench.text("web.log") == "ERROR one\n" }
        #expect(!bench.names().contains("errors.log"))
        pump.reconfigure(LaunchID(1), .stdout, sink: sink(bench, .prefix))
        awaitFact("the file is there") { bench.names().contains("errors.log") }
        put("ERROR two\n", writer)
        awaitFact("it is copied") { bench.text("errors.log") == "ERROR two\n" }
        pump.reconfigure(LaunchID(1), .stdout, sink: plain)
        put("ERROR three\nprompt", writer)
        awaitFact("it is written at once again") { bench.text("web.log").hasSuffix("ERROR three\nprompt") }
        #expect(bench.text("errors.log") == "ERROR two\n")
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
    }
}
