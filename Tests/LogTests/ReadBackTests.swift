// SPDX-License-Identifier: Apache-2.0
import OrchLinux
import OrchModel
import OrchWire
import Testing

/// What the pump writes, the reader reads, on a real file system.
@Suite struct ReadBackTests {
    @Test func aFollowerSeesEveryLineAcrossRotations() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        let before = wallTime()
        pump.attach(
            LaunchID(5), .stderr, readEnd: pipe.read,
            sink: LogSink(.file(bench.path("web.log")), rotate: rotation(50_000, keep: 1000)))
        var query = LogQuery()
        query.follows = true
        let stream = LogStream(label: "web", kind: .stderr, path: bench.path("web.log"))
        var reader = LogReader(LinuxLogFiles(), streams: [stream], query: query)
        let writer = try Process(["/usr/bin/seq", "60000"], [1: pipe.write.number])
        _ = consume pipe.write
        var next = 1
        var wrong: [String] = []
        var wrongCount = 0
        awaitFact("all lines are seen") {
            while let line = reader.next() {
                let text = String(decoding: line.bytes, as: UTF8.self)
                let isTimely = line.time.map { before <= $0 && $0 <= wallTime() } ?? false
                if text != String(next) || line.launch != LaunchID(5) || !isTimely {
                    wrongCount += 1
                    let time = line.time.map { "at \($0.nanoseconds)" } ?? "at no time"
                    if wrongCount <= 5 {
                        wrong.append("\(next): \(text) of \(line.launch, default: "no launch") \(time)")
                    }
                }
                next += 1
            }
            return next > 60_000
        }
        #expect(wrongCount == 0, "the first: \(wrong)")
        #expect(try writer.wait() == 0)
        drain(pump, LaunchID(5))
        pump.stop()
        reader.close()

        query.follows = false
        query.last = 3
        var tail = LogReader(LinuxLogFiles(), streams: [stream], query: query)
        #expect(tail.next().map { String(decoding: $0.bytes, as: UTF8.self) } == "59998")
        tail.close()
    }
}
