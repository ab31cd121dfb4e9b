// SPDX-License-Identifier: Apache-2.0
import OrchLinux
import OrchModel
import Testing

@Suite(.serialized) struct FloodTests {
    @Test func race27AFloodHoldsUpNobodyElse() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let flood = try Descriptor.pipe()
        let quiet = try Descriptor.pipe()
        var rotate = LoggingSpec.Rotation()
        rotate.size = 1_000_000
        rotate.keep = 2
        pump.attach(
            LaunchID(1), .stdout, readEnd: flood.read,
            sink: LogSink(.file(bench.path("flood.log")), rotate: rotate))
        pump.attach(LaunchID(2), .stdout, readEnd: quiet.read, sink: LogSink(.file(bench.path("quiet.log"))))
        let writer = try Process(["/usr/bin/yes"], [1: flood.write.number])
        defer {
            writer.kill()
            _ = try? writer.wait()  // It was killed: how it ended says nothing.
        }
        // Only under way is it a flood.
        awaitFact("the flood has filled a segment") { bench.names().contains { $0.hasPrefix("flood.log.") } }
        for line in 1...5 {
            put("line \(line)\n", quiet.write)
            awaitFact("line \(line) is written while the other one floods") {
                bench.text("quiet.log").hasSuffix("line \(line)\n")
            }
        }
        #expect(bench.names().filter { $0.hasPrefix("flood.log") }.count <= 2 + 2, "its own bound holds meanwhile")
        pump.stop()
    }
}
