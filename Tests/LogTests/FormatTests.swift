// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchModel
import Testing

@testable import OrchLinux

@Suite struct LineCutTests {
    private func plan(_ text: String, offset: Int64, size: Int64, endsLine: Bool = true, limit: Int = 100) -> LineCut {
        let bytes = Array(text.utf8)
        return LineCut.plan(bytes.span, offset: offset, size: size, endsLine: endsLine, lineLimit: limit)
    }

    @Test func cutsAtTheLastLineEndThatFits() {
        #expect(plan("ab\ncd\nef", offset: 0, size: 7) == LineCut(take: 6, rotateAfter: true))
        #expect(plan("ab\ncd\nef", offset: 0, size: 6) == LineCut(take: 6, rotateAfter: true))
        #expect(plan("ab\ncd\nef", offset: 0, size: 5) == LineCut(take: 3, rotateAfter: true))
        #expect(plan("ab\n", offset: 5, size: 8) == LineCut(take: 3))
        #expect(plan("abcd", offset: 5, size: 8) == LineCut(take: 0, rotateFirst: true))
        #expect(plan("abcd", offset: 9, size: 8) == LineCut(take: 0, rotateFirst: true))
    }

    @Test func aBegunLineIsFinishedFirst() {
        #expect(plan("cd\nef\n", offset: 7, size: 8, endsLine: false) == LineCut(take: 3, rotateAfter: true))
        #expect(plan("cdefgh", offset: 7, size: 8, endsLine: false) == LineCut(take: 6))
        #expect(plan("long\n", offset: 0, size: 2) == LineCut(take: 5, rotateAfter: true))
    }

    @Test func aLineBeyondEveryLimitIsCut() {
        #expect(
            plan("xxxxxxxx", offset: 8, size: 8, endsLine: false, limit: 5)
                == LineCut(take: 5, rotateAfter: true, cutsLine: true))
        #expect(
            plan("xxx", offset: 13, size: 8, endsLine: false, limit: 5)
                == LineCut(take: 0, rotateFirst: true, cutsLine: true))
    }
}

@Suite struct LineConverterTests {
    private static let stamp = Array("2026-01-31T09:05:00.250Z".utf8)

    private func convert(
        _ text: [UInt8], _ format: LoggingSpec.Format, strips: Bool = false,
        _ remainder: LineConverter.Remainder = .wait, room: Int = .max
    ) -> (String, Int) {
        var converter = LineConverter(format: format, stripsANSI: strips, stream: .stderr)
        var output: [UInt8] = []
        let used = converter.convert(
            text.span, stamp: Self.stamp, remainder: remainder, continuing: false, room: room, into: &output)
        return (String(decoding: output, as: UTF8.self), used)
    }

    @Test func stampsEveryWholeLine() {
        let (text, used) = convert(Array("a\n\nb\nrest".utf8), .timestamped)
        #expect(text == "2026-01-31T09:05:00.250Z a\n2026-01-31T09:05:00.250Z \n2026-01-31T09:05:00.250Z b\n")
        #expect(used == 5)
    }

    @Test func writesJSONThatHoldsAnyByte() {
        let (text, used) = convert(Array("say \"hi\"\\\t\u{1}\u{7f} é".utf8) + [0xff, 0xc3, 10], .json)
        #expect(used == 18)
        #expect(
            text == #"{"time":"2026-01-31T09:05:00.250Z","stream":"stderr","message":"say \"hi\"\\\t\u0001\u007f é"#
                + "\u{fffd}\u{fffd}" + #""}"# + "\n")
    }

    @Test func stopsBeforeALineThatDoesNotFit() {
        let (text, used) = convert(Array("a\nb\n".utf8), .timestamped, room: 30)
        #expect(text == "2026-01-31T09:05:00.250Z a\n")
        #expect(used == 2)
        #expect(convert(Array("a\n".utf8), .timestamped, room: 10).1 == 0)
    }

    @Test func closesALineWhoseWriterIsGone() {
        #expect(convert(Array("end".utf8), .timestamped, .close) == ("2026-01-31T09:05:00.250Z end\n", 3))
        #expect(convert(Array("end".utf8), .timestamped, .open) == ("2026-01-31T09:05:00.250Z end", 3))
    }

    @Test func splitsBetweenCharacters() {
        let text = Array("aaaaé".utf8)
        #expect(LineConverter.scalarBoundary(text.span, before: 5) == 4)
        #expect(LineConverter.scalarBoundary(text.span, before: 6) == 6)
        let broken: [UInt8] = [0x61, 0x80, 0x80, 0x80, 0x80]
        #expect(LineConverter.scalarBoundary(broken.span, before: 5) == 5)
    }

    @Test func stripsColoursTitlesAndLinks() {
        let coloured =
            "\u{1b}[1;31mred\u{1b}[0m \u{1b}]0;title\u{7}x\u{1b}]8;;http://a\u{1b}\\y\u{1b}(B\u{1b}[2K!\n\u{1b}]open\nnext\n"
        #expect(convert(Array(coloured.utf8), .raw, strips: true).0 == "red xy!\n\nnext\n")
    }
}

@Suite(.serialized) struct FormatTests {
    @Test func everyFormatReachesItsFileAndRotatesBetweenLines() throws {
        for format in [LoggingSpec.Format.timestamped, .json] {
            let bench = try Workbench()
            let pump = try LogPump()
            let pipe = try Descriptor.pipe()
            let sink = LogSink(.file(bench.path("a.log")), format: format, rotate: rotation(100_000, keep: 1000))
            pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: sink)
            let writer = try Process(["/usr/bin/seq", "30000"], [1: pipe.write.number])
            #expect(try writer.wait() == 0)
            put("unfinished", pipe.write)
            _ = consume pipe.write
            drain(pump, LaunchID(1))
            pump.stop()
            let segments = bench.segments("a.log")
            #expect(segments.count > 5)
            #expect(segments.allSatisfy { $0.last == 10 && $0.count <= 100_000 })
            var next = 1
            for line in segments.flatMap({ $0 }).split(separator: 10) where next <= 30_000 {
                let text = String(decoding: line, as: UTF8.self)
                guard
                    format == .json
                        ? text.hasSuffix(#"","stream":"stdout","message":"\#(next)"}"#) : text.hasSuffix("Z \(next)")
                else {
                    Issue.record("\(text) instead of \(next)")
                    return
                }
                next += 1
            }
            #expect(next == 30_001)
            #expect(bench.text("a.log").hasSuffix(format == .json ? "unfinished\"}\n" : "Z unfinished\n"))
        }
    }

    @Test func aLongLineInJSONIsSplitAtTheLimit() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("a.log")), format: .json))
        let long = String(repeating: "é", count: 70_000)
        put("\(long)\nnext\n", pipe.write)
        _ = consume pipe.write
        drain(pump, LaunchID(1))
        pump.stop()
        let messages = bench.text("a.log").split(separator: "\n").map {
            $0.dropFirst(#"{"time":"2026-01-31T09:05:00.250Z","stream":"stdout","message":""#.utf8.count).dropLast(2)
        }
        #expect(messages.count == 4)
        #expect(messages.dropLast().joined() == long)
        #expect(messages.allSatisfy { $0.utf8.count <= Limits.logLineBytes })
        #expect(messages.last == "next")
    }

    @Test func aPromptIsWrittenAndContinuedUnderOneStamp() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("a.log")), format: .timestamped))
        put("name? ", pipe.write)
        awaitFact("the prompt is written") { bench.text("a.log").hasSuffix("Z name? ") }
        put("Ada\n", pipe.write)
        awaitFact("its line is finished") { bench.text("a.log").hasSuffix("Z name? Ada\n") }
        pump.stop()
    }
}
