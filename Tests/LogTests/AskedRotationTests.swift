// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// An instance whose standard output goes to a file of the bench, and whose other output goes nowhere.
func subject(_ bench: Workbench, _ name: String, keep: Int = 5, appends: Bool = false) -> LogRotation.Subject {
    var logging = LoggingSpec()
    logging.stdout = appends ? .append(bench.path(name)) : .file(bench.path(name))
    logging.stderr = .discard
    logging.rotate = rotation(nil, keep: keep)
    return LogRotation.Subject(InstanceID(service: ServiceID(stack: "shop", service: "web")), logging)
}

/// Rotation on demand.
@Suite struct AskedRotationTests {
    private func attach(_ pump: LogPump, _ bench: Workbench, _ name: String, _ sink: LogSink? = nil) throws
        -> Descriptor
    {
        let pipe = try Descriptor.pipe()
        let usual = LogSink(.file(bench.path(name)), rotate: rotation(nil, keep: 1_000))
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: sink ?? usual)
        return pipe.write
    }

    private func rotate(_ pump: LogPump, _ number: UInt64, _ subjects: [LogRotation.Subject], _ bench: Workbench)
        -> [LogRotation]
    {
        pump.rotate(number, subjects, state: bench.folder)
        return rotated(number, by: pump)
    }

    @Test func whatWasWrittenBeforeIsInTheSegmentThatTheAnswerNames() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, bench, "web.log")
        put("one\n", writer)
        let first = rotate(pump, 1, [subject(bench, "web.log", keep: 1_000)], bench)
        #expect(first.map(\.outcome) == [.rotated(segment: bench.path("web.log.1"))])
        #expect(first.map(\.file) == [bench.path("web.log")])
        #expect(bench.text("web.log.1") == "one\n" && bench.text("web.log") == "")
        let second = rotate(pump, 2, [subject(bench, "web.log", keep: 1_000)], bench)
        #expect(second.map(\.outcome) == [.empty], "an empty file is left alone")
        #expect(!bench.names().contains("web.log.2"))
        put("two\n", writer)
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
        #expect(bench.text("web.log") == "two\n", "the active file keeps its name")
    }

    @Test func underLoadEveryCutIsBetweenLinesAndNoneIsLost() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, bench, "web.log")
        let expected = unsafe open(bench.path("expected"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try Process(["/usr/bin/seq", "2000000"], [1: expected]).wait()
        close(expected)
        let process = try Process(["/usr/bin/seq", "2000000"], [1: writer.number])
        _ = consume writer
        var made: [String] = []
        awaitFact("it is rotated five times") {
            let number = UInt64(made.count + 1)
            for file in rotate(pump, number, [subject(bench, "web.log", keep: 1_000)], bench) {
                if case .rotated(let segment) = file.outcome { made.append(segment) }
            }
            return made.count >= 5
        }
        #expect(try process.wait() == 0)
        drain(pump, LaunchID(1))
        pump.stop()
        for path in made { #expect(bench.bytes(path).last == 10, "\(path) ends within a line") }
        let whole = bench.segments("web.log").flatMap { $0 }
        #expect(same(whole, bench.bytes(bench.path("expected"))))
        #expect(made == (1...made.count).map { bench.path("web.log.\($0)") })
    }

    @Test(arguments: LoggingSpec.Format.allCases) func aLineWithoutAnEndIsSaidAndRotatedAtItsEnd(
        _ format: LoggingSpec.Format
    ) throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let sink = LogSink(.file(bench.path("web.log")), format: format, rotate: rotation(nil))
        let writer = try attach(pump, bench, "web.log", sink)
        put("before\nhalf", writer)
        awaitFact("it is written") { !bench.bytes(bench.path("web.log")).isEmpty }
        // JSON is written by whole lines.
        awaitFact("the half is") { format == .json || bench.text("web.log").hasSuffix("half") }
        let answer = rotate(pump, 1, [subject(bench, "web.log")], bench)
        if format == .json {
            #expect(answer.map(\.outcome) == [.rotated(segment: bench.path("web.log.1"))])
        } else {
            #expect(answer.map(\.outcome) == [.unfinished])
            #expect(!bench.names().contains("web.log.1"))
        }
        put(" of it\nafter\n", writer)
        awaitFact("it is rotated at its end") {
            bench.text("web.log.1").contains("before") && bench.text("web.log").contains("after")
        }
        #expect(bench.text(format == .json ? "web.log" : "web.log.1").contains("half of it"))
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func theAnswerComesWithTheEndOfTheLine() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writer = try attach(pump, bench, "web.log")
        put("half", writer)
        awaitFact("it is written") { bench.text("web.log") == "half" }
        pump.rotate(1, [subject(bench, "web.log")], state: bench.folder)
        put(" of it\n", writer)
        let files = rotated(1, by: pump)
        #expect(files.map(\.outcome) == [.rotated(segment: bench.path("web.log.1"))])
        #expect(bench.text("web.log.1") == "half of it\n")
        _ = consume writer
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func aFileThatNobodyWritesIsRotatedToo() throws {
        let bench = try Workbench()
        bench.write("web.log", "from before\nhalf")
        let pump = try LogPump()
        let other = subject(bench, "never.log")
        let files = rotate(pump, 1, [subject(bench, "web.log"), other, subject(bench, "web.log")], bench)
        #expect(files.map(\.outcome) == [.rotated(segment: bench.path("web.log.1")), .empty], "each file once")
        #expect(bench.text("web.log.1") == "from before\nhalf")
        #expect(!bench.names().contains("never.log"), "what is not there is not made")
        pump.stop()
    }

    @Test func filesOfOthersAreNotRotatedAndWhatIsNotKeptIsSaid() throws {
        let bench = try Workbench()
        bench.write("shared.log", "theirs\n")
        bench.write("short.log", "ours\n")
        let pump = try LogPump()
        let files = rotate(
            pump, 1, [subject(bench, "shared.log", appends: true), subject(bench, "short.log", keep: 0)], bench)
        #expect(files.map(\.outcome) == [.shared, .forgotten])
        #expect(bench.text("shared.log") == "theirs\n" && bench.text("short.log") == "")
        pump.stop()
    }

    @Test func whatStandsInTheWayIsSaid() throws {
        let bench = try Workbench()
        bench.write("target", "not ours\n")
        #expect(try Process(["/bin/ln", "-s", bench.path("target"), bench.path("web.log")]).wait() == 0)
        let pump = try LogPump()
        let files = rotate(pump, 1, [subject(bench, "web.log")], bench)
        guard case .failed(let reason)? = files.first?.outcome else {
            Issue.record("\(files)")
            return
        }
        #expect(reason.contains("symbolic link"))
        #expect(bench.text("target") == "not ours\n")
        pump.stop()
    }
}
