// SPDX-License-Identifier: Apache-2.0
import Glibc
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

    /// Each flood finds a wide pipe, and the one after the last that may be wide gets that of one whose flood is over.
    @Test func aFloodGetsAWidePipeWhichGoesToAnotherOneLater() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        var writeEnds: [Int32] = []
        defer { for end in writeEnds { close(end) } }
        // F_GETPIPE_SZ (fcntl(2)), which is not in Glibc's module.
        func width(_ end: Int32) -> Int { Int(fcntl(end, 1032)) }
        for number in 0...Limits.logWidePipes {
            let pipe = try Descriptor.pipe()
            let end = pipe.write.release()
            writeEnds.append(end)
            #expect(width(end) == Limits.logPipeBytes)
            pump.attach(
                LaunchID(UInt64(number) + 1), .stdout, readEnd: pipe.read,
                sink: LogSink(.file(bench.path("\(number).log")), rotate: rotation(1_000_000, keep: 1)))
            let writer = try Process(["/usr/bin/yes"], [1: end])
            awaitFact("pipe \(number) is wide") { width(end) == Limits.logWidePipeBytes }
            writer.kill()
            try writer.wait()
        }
        #expect(writeEnds.filter { width($0) == Limits.logWidePipeBytes }.count == Limits.logWidePipes)
        pump.stop()
    }
}
