// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// The promise itself: the pump's process is killed again and again while lines flow; this process holds the pipe as the keeper does.
@Suite(.serialized) struct KilledPumpTests {
    @Test func rawLogsAreExactAfterFiftyKills() throws {
        let bench = try Workbench()
        let kills = try torment(bench, format: "raw", lines: 8_000_000)
        #expect(kills >= 50)
        let segments = bench.segments("web.log")
        #expect(segments.allSatisfy { $0.isEmpty || $0.last == 10 }, "a segment ends within a line")
        #expect(segments.count > 20)
        let expected = bench.bytes(bench.path("expected"))
        let written = segments.flatMap { $0 }
        #expect(same(written, expected), "\(written.count) bytes instead of \(expected.count)")
    }

    @Test func timestampedLogsRepeatButNeverLose() throws {
        let bench = try Workbench()
        let kills = try torment(bench, format: "timestamped", lines: 300_000)
        #expect(kills >= 5)
        var next = 1
        var torn = 0
        for line in bench.segments("web.log").flatMap({ $0 }).split(separator: 10) {
            // The stamp is 24 characters and a space; after a kill the last block may be cut and comes again.
            guard line.count > 25, let number = Int(String(decoding: line.dropFirst(25), as: UTF8.self)) else {
                torn += 1
                continue
            }
            guard number <= next else {
                Issue.record("after \(next - 1) comes \(String(decoding: line, as: UTF8.self))")
                return
            }
            next = max(next, number + 1)
        }
        #expect(next == 300_001)
        #expect(torn <= kills)
    }

    /// The log stays exact though its lines are looked at; the copy has each bad line at least once, in order.
    @Test func copiesOfErrorsRepeatButNeverLose() throws {
        let bench = try Workbench()
        let kills = try torment(
            bench, format: "raw", lines: 300_000, more: ["7$", bench.path("errors.log")], life: 80)
        #expect(kills >= 5)
        let written = bench.segments("web.log").flatMap { $0 }
        #expect(same(written, bench.bytes(bench.path("expected"))), "the log itself is exact")
        var next = 7
        var torn = 0
        for line in bench.segments("errors.log").flatMap({ $0 }).split(separator: 10) {
            guard let number = Int(String(decoding: line, as: UTF8.self)), number % 10 == 7 else {
                torn += 1
                continue
            }
            guard number <= next else {
                Issue.record("after \(next - 10) comes \(number)")
                return
            }
            if number == next { next += 10 }
        }
        #expect(next == 300_007)
        #expect(torn <= kills)
    }

    /// Returns how many pumps were killed before everything was written.
    private func torment(
        _ bench: Workbench, format: String, lines: Int, more: [String] = [], life: Int32 = 8
    ) throws -> Int {
        let expected = unsafe open(bench.path("expected"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try Process(["/usr/bin/seq", "\(lines)"], [1: expected]).wait()
        close(expected)
        let pipe = try Descriptor.pipe()
        let writer = try Process(["/usr/bin/seq", "\(lines)"], [1: pipe.write.number])
        _ = consume pipe.write
        var kills = 0
        var chance: UInt32 = 7
        while true {
            let control = try Descriptor.pipe()
            let begun = try Descriptor.pipe()
            let probe = try Process(
                [try self.probe(), bench.path("web.log"), "1000000", "400", format] + more,
                [0: control.read.number, 1: begun.write.number, 3: pipe.read.number])
            _ = consume begun.write
            var byte: UInt8 = 0
            #expect(unsafe read(begun.read.number, &byte, 1) == 1, "the pump has begun")
            chance = chance &* 1_664_525 &+ 1_013_904_223
            // How long this one may live; the writer's end makes it the last one.
            _ = poll(nil, 0, Int32(chance >> 16) % life + 1)
            var status: Int32 = 0
            if unsafe waitpid(writer.pid, &status, WNOHANG) == writer.pid {
                _ = consume control.write
                #expect(try probe.wait() == 0, "the last pump reads to the end")
                return kills
            }
            probe.kill()
            try probe.wait()
            kills += 1
        }
    }

    /// The probe lies beside the test bundle.
    private func probe() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        try #require(length > 0)
        let own = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return LogLayout.split(own).folder + "/orch-pump-probe"
    }
}
