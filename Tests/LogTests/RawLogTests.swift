// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

@Suite(.serialized) struct RawLogTests {
    @Test func twentyMegabytesRotateWithoutLosingOrCuttingALine() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read,
            sink: LogSink(.file(bench.path("web.log")), rotate: rotation(1_000_000, keep: 300)))
        let writer = try Process(["/usr/bin/seq", "2700000"], [1: pipe.write.number])
        _ = consume pipe.write
        #expect(try writer.wait() == 0)
        let said = drain(pump, LaunchID(1))
        #expect(said.allSatisfy { !$0.isRemark }, "\(said)")
        #expect(pump.stop())

        let segments = bench.segments("web.log")
        #expect(segments.count >= 20)
        for segment in segments {
            #expect(segment.isEmpty || segment.last == 10, "a segment ends within a line")
            #expect(segment.count <= 1_000_000 + 8)
        }
        #expect(segments.dropLast().allSatisfy { $0.count > 1_000_000 - 16 })
        #expect(same(segments.flatMap { $0 }, try numbered(2_700_000, bench)))
    }

    @Test func onlyTheNewestSegmentsAreKeptAndNumbersOnlyGrow() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read,
            sink: LogSink(.file(bench.path("web.log")), rotate: rotation(1000, keep: 2)))
        put((0..<450).map { "line \(1000 + $0)\n" }.joined(), pipe.write)
        _ = consume pipe.write
        drain(pump, LaunchID(1))
        pump.stop()
        let numbers = LogLayout.segments(of: "web.log", among: bench.names())
        #expect(numbers == [3, 4])
        #expect(
            bench.names() == [
                ".", "..", ".web.log.3.index", ".web.log.4.index", ".web.log.index", "web.log", "web.log.3",
                "web.log.4",
            ])
        #expect(bench.text("web.log").hasSuffix("line 1449\n"))
    }

    @Test func aNewPumpContinuesTheUnfinishedLineOfTheOldOne() throws {
        let bench = try Workbench()
        let pipe = try Descriptor.pipe()
        let sink = LogSink(.file(bench.path("web.log")))
        let held = try pipe.read.duplicate()
        let first = try LogPump()
        first.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: sink)
        put("begun ", pipe.write)
        awaitFact("the first half is written") { bench.text("web.log") == "begun " }
        first.stop()
        put("and ", pipe.write)
        let second = try LogPump()
        second.attach(LaunchID(1), .stdout, readEnd: held, sink: sink)
        put("ended\n", pipe.write)
        _ = consume pipe.write
        drain(second, LaunchID(1))
        second.stop()
        #expect(bench.text("web.log") == "begun and ended\n")
    }

    @Test func streamsThatShareAFileInterleaveByWholeLines() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let writers = try (1...4).map { number in
            let pipe = try Descriptor.pipe()
            pump.attach(
                LaunchID(UInt64(number)), number % 2 == 0 ? .stderr : .stdout, readEnd: pipe.read,
                sink: LogSink(.file(bench.path("all.log")), rotate: rotation(100_000, keep: 100)))
            return try Process(["/usr/bin/seq", "-f", "w\(number) %.0f", "50000"], [1: pipe.write.number])
        }
        for writer in writers { #expect(try writer.wait() == 0) }
        for number in 1...4 { drain(pump, LaunchID(UInt64(number))) }
        pump.stop()
        let segments = bench.segments("all.log")
        #expect(segments.allSatisfy { $0.isEmpty || $0.last == 10 })
        var next = [1, 1, 1, 1]
        for line in segments.flatMap({ $0 }).split(separator: 10) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.count == 2, let writer = Int(words[0].dropFirst()), (1...4).contains(writer),
                let number = Int(words[1])
            else {
                Issue.record("torn line \(String(decoding: line, as: UTF8.self))")
                return
            }
            guard number == next[writer - 1] else {
                Issue.record("writer \(writer): \(number) after \(next[writer - 1] - 1)")
                return
            }
            next[writer - 1] += 1
        }
        #expect(next == [50001, 50001, 50001, 50001])
    }

    @Test func aPromptWithoutALineEndReachesASharedFile() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let out = try Descriptor.pipe()
        let err = try Descriptor.pipe()
        for (stream, end) in [
            (LogStreamKind.stdout, try out.read.duplicate().release()), (.stderr, try err.read.duplicate().release()),
        ] {
            pump.attach(
                LaunchID(1), stream, readEnd: Descriptor(owning: end), sink: LogSink(.file(bench.path("a.log"))))
        }
        put("name? ", out.write)
        awaitFact("the prompt is written") { bench.text("a.log") == "name? " }
        pump.stop()
    }

    @Test func aLineLongerThanTheRotationSizeStaysWholeUpToTheLimit() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read,
            sink: LogSink(.file(bench.path("web.log")), rotate: rotation(1000, keep: 100)))
        let long = String(repeating: "x", count: 5000)
        let endless = String(repeating: "y", count: 200_000)
        put("short\n\(long)\nshort\n\(endless)\nend\n", pipe.write)
        _ = consume pipe.write
        drain(pump, LaunchID(1))
        pump.stop()
        let segments = bench.segments("web.log").map { String(decoding: $0, as: UTF8.self) }
        #expect(segments.joined() == "short\n\(long)\nshort\n\(endless)\nend\n")
        #expect(segments.contains { $0.contains(long + "\n") })
        #expect(segments.allSatisfy { $0.utf8.count <= 1000 + Limits.logLineBytes })
    }

    @Test func rotationIsReconfiguredAndAskedForWhileTheServiceRuns() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("web.log")), rotate: rotation(nil))
        )
        put("one\ntwo\npart", pipe.write)
        awaitFact("it is written") { bench.text("web.log") == "one\ntwo\npart" }
        pump.rotate(7, [subject(bench, "web.log")], state: bench.folder)
        // What is in the pipe when it is asked still goes into the old file.
        notices(of: pump) { if case .rotated = $0 { true } else { false } }
        put("ed\nthree\n", pipe.write)
        awaitFact("the line is finished first") {
            bench.text("web.log.1") == "one\ntwo\nparted\n" && bench.text("web.log") == "three\n"
        }
        pump.reconfigure(
            LaunchID(1), .stdout, sink: LogSink(.file(bench.path("web.log")), rotate: rotation(12, keep: 1)))
        put("four\nfive\n", pipe.write)
        awaitFact("the new size holds") {
            bench.text("web.log.2") == "three\nfour\n" && bench.text("web.log") == "five\n"
        }
        #expect(!bench.names().contains("web.log.1"))
        pump.reconfigure(LaunchID(1), .stdout, sink: LogSink(.file(bench.path("other.log"))))
        awaitFact("the new file is there") { bench.names().contains("other.log") }
        put("six\n", pipe.write)
        awaitFact("another file") { bench.text("other.log") == "six\n" }
        pump.stop()
    }

    @Test func theOldLaunchIsWrittenBeforeItsSuccessor() throws {
        let bench = try Workbench()
        for round in 1...20 {
            let pump = try LogPump()
            let old = try Descriptor.pipe()
            let new = try Descriptor.pipe()
            let sink = LogSink(.file(bench.path("\(round).log")))
            let lines = String(repeating: "old line\n", count: 5000)
            put(lines, old.write)
            put("new\n", new.write)
            pump.attach(LaunchID(1), .stdout, readEnd: old.read, sink: sink)
            _ = consume old.write
            pump.finish(LaunchID(1))
            pump.attach(LaunchID(2), .stdout, readEnd: new.read, sink: sink)
            _ = consume new.write
            pump.finish(LaunchID(2))
            _ = notices(of: pump) { $0 == .drained(LaunchID(2), bytesLeft: 0) }
            pump.stop()
            #expect(bench.text("\(round).log") == lines + "new\n")
            #expect(bench.entries("\(round).log").map(\.launch.number) == [1, 2])
        }
    }

    /// The pipe is held by a process that the pump doesn't know.
    @Test func aPipeThatOthersKeepOpenIsGivenUpAtTheDeadline() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(7), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("web.log"))))
        put("last words\n", pipe.write)
        let began = ContinuousClock.now
        drain(pump, LaunchID(7))
        #expect(ContinuousClock.now - began >= Limits.logDrainWait)
        #expect(bench.text("web.log") == "last words\n")
        #expect(pump.stop())
        var poll = pollfd(fd: pipe.write.number, events: 0, revents: 0)
        #expect(unsafe Glibc.poll(&poll, 1, 0) == 1 && Int32(poll.revents) & POLLERR != 0, "nobody reads it any more")
    }

    @Test func aLaunchWithoutPipesIsDrainedAtOnce() throws {
        let pump = try LogPump()
        #expect(drain(pump, LaunchID(3)) == [.drained(LaunchID(3), bytesLeft: 0)])
        pump.stop()
    }

    /// A write(2) that is larger than the pipe wakes its reader only once; whoever trusts every edge waits for ever.
    @Test(arguments: LoggingSpec.Format.allCases) func writesLargerThanThePipeArrive(_ format: LoggingSpec.Format)
        throws
    {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read,
            sink: LogSink(.file(bench.path("web.log")), format: format, rotate: rotation(nil)))
        let expected = try numbered(500_000, bench)
        let writer = try Process(["/bin/dd", "if=\(bench.path("expected"))", "bs=1M"], [1: pipe.write.number])
        _ = consume pipe.write
        #expect(try writer.wait() == 0)
        drain(pump, LaunchID(1))
        pump.stop()
        let written = bench.bytes(bench.path("web.log"))
        switch format {
        case .raw: #expect(same(written, expected))
        case .timestamped: #expect(written.count == expected.count + 500_000 * 25)
        case .json:
            let frame = #"{"time":"2026-01-31T09:05:00.250Z","stream":"stdout","message":""}"#
            #expect(written.count == expected.count + 500_000 * frame.utf8.count)
        }
    }

    @Test func discardedOutputIsReadAndForgotten() throws {
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.discard))
        let writer = try Process(["/usr/bin/seq", "100000"], [1: pipe.write.number])
        #expect(try writer.wait() == 0)
        _ = consume pipe.write
        drain(pump, LaunchID(1))
        pump.stop()
    }

    @Test func othersAppendToTheSameFile() throws {
        let bench = try Workbench()
        bench.write("shared.log", "theirs\n")
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read,
            sink: LogSink(.append(bench.path("shared.log")), rotate: rotation(1)))
        put("ours\n", pipe.write)
        awaitFact("ours is there") { bench.text("shared.log") == "theirs\nours\n" }
        let other = unsafe open(bench.path("shared.log"), O_WRONLY | O_APPEND | O_CLOEXEC)
        put(Array("theirs again\n".utf8), other)
        close(other)
        put("ours again\n", pipe.write)
        awaitFact("nothing is overwritten") { bench.text("shared.log") == "theirs\nours\ntheirs again\nours again\n" }
        pump.stop()
    }

    /// What `seq` prints.
    private func numbered(_ count: Int, _ bench: Workbench) throws -> [UInt8] {
        let file = unsafe open(bench.path("expected"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try Process(["/usr/bin/seq", "\(count)"], [1: file]).wait()
        close(file)
        return bench.bytes(bench.path("expected"))
    }
}
