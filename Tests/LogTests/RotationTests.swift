// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import OrchWire
import Testing

/// What becomes of log files with time: rotation by age, removal by age and size, compression.
@Suite struct RotationTests {
    private static let hour: Int64 = 3_600_000_000_000

    /// A file with a line in it that was written `ago`, and its time index.
    private func old(_ bench: Workbench, _ name: String, _ text: String, ago: Int64) {
        bench.write(name, text)
        let time = wallTime().nanoseconds - ago
        let stamp = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        let inode = LinuxLogFiles().inode(of: bench.path(name)) ?? 0
        let entry = LogIndex.Entry(
            offset: 0, time: WallTime(nanoseconds: time), launch: LaunchID(1), stream: .stdout)
        let index = bench.path(LogLayout.index(of: name))
        let file = unsafe open(index, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        put(LogIndex.header(inode: inode) + LogIndex.encode(entry), file)
        close(file)
        _ = unsafe utimensat(AT_FDCWD, bench.path(name), [stamp, stamp], 0)
    }

    private func attach(_ pump: LogPump, _ bench: Workbench, _ rotate: LoggingSpec.Rotation) throws -> Descriptor {
        let pipe = try Descriptor.pipe()
        pump.attach(
            LaunchID(2), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("web.log")), rotate: rotate))
        return pipe.write
    }

    @Test func aFileIsRotatedOnceItsFirstLineIsOldEnough() throws {
        let bench = try Workbench()
        old(bench, "web.log", "yesterday\n", ago: 25 * Self.hour)
        let pump = try LogPump()
        var rotate = rotation(1_000_000)
        rotate.every = .seconds(24 * 3600)
        let writer = try attach(pump, bench, rotate)
        put("today\n", writer)
        put("later\n", writer)
        _ = consume writer
        drain(pump, LaunchID(2))
        pump.stop()
        #expect(bench.text("web.log.1") == "yesterday\n")
        #expect(bench.text("web.log") == "today\nlater\n")
    }

    @Test func aLineThatWasBegunIsEndedBeforeTheFileIsRotatedByItsAge() throws {
        let bench = try Workbench()
        old(bench, "web.log", "yes", ago: 25 * Self.hour)
        let pump = try LogPump()
        var rotate = rotation(1_000_000)
        rotate.every = .seconds(24 * 3600)
        let writer = try attach(pump, bench, rotate)
        put("terday\ntoday\n", writer)
        _ = consume writer
        drain(pump, LaunchID(2))
        pump.stop()
        #expect(bench.text("web.log.1") == "yesterday\n")
        #expect(bench.text("web.log") == "today\n")
    }

    @Test func segmentsGoAtTheirAgeThoughNothingIsWritten() throws {
        let bench = try Workbench()
        old(bench, "web.log.1", "ancient\n", ago: 2 * Self.hour)
        old(bench, "web.log.2", "old\n", ago: Self.hour - 300_000_000)
        old(bench, "web.log.3", "young\n", ago: Self.hour / 2)
        let pump = try LogPump()
        var rotate = rotation(1_000_000)
        rotate.maxAge = .seconds(3600)
        let writer = try attach(pump, bench, rotate)
        awaitFact("both old ones are gone") { LogLayout.segments(of: "web.log", among: bench.names()) == [3] }
        #expect(!bench.names().contains(".web.log.1.index") && !bench.names().contains(".web.log.2.index"))
        _ = consume writer
        drain(pump, LaunchID(2))
        pump.stop()
        #expect(bench.text("web.log.3") == "young\n")
    }

    @Test(arguments: [LoggingSpec.Compression.none, .gzip])
    func aLogTakesNoMoreThanItsTotal(_ compress: LoggingSpec.Compression) throws {
        let bench = try Workbench()
        let pump = try LogPump()
        var rotate = rotation(10_000, keep: 1000)
        rotate.total = 45_000
        rotate.compress = compress
        let writer = try attach(pump, bench, rotate)
        let process = try Process(["/usr/bin/seq", "60000"], [1: writer.number])
        _ = consume writer
        #expect(try process.wait() == 0)
        drain(pump, LaunchID(2))
        pump.stop()
        let files = bench.names().filter { $0.hasPrefix("web.log") }
        let bytes = files.reduce(0) { $0 + bench.bytes(bench.path($1)).count }
        #expect(bytes <= 45_000)
        if compress == .none { #expect(bytes > 30_000, "\(files)") }
        #expect(bench.text("web.log").hasSuffix("60000\n"))
    }

    @Test func compressedSegmentsHoldEveryLineAndItsTime() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        var rotate = rotation(50_000, keep: 1000)
        rotate.compress = .gzip
        let before = wallTime()
        let writer = try attach(pump, bench, rotate)
        var query = LogQuery()
        query.follows = true
        let stream = LogStream(label: "web", kind: .stdout, path: bench.path("web.log"))
        var follower = LogReader(LinuxLogFiles(), streams: [stream], query: query)
        let process = try Process(["/usr/bin/seq", "60000"], [1: writer.number])
        _ = consume writer
        var followed = 0
        awaitFact("the follower sees all lines") {
            while let line = follower.next() {
                followed += 1
                guard String(decoding: line.bytes, as: UTF8.self) == String(followed), line.time != nil else {
                    followed = .max / 2
                    return true
                }
            }
            return followed >= 60_000
        }
        #expect(followed == 60_000)
        follower.close()
        #expect(try process.wait() == 0)
        drain(pump, LaunchID(2))
        let count = LogLayout.segments(of: "web.log", among: bench.names()).count
        awaitFact("all segments are compressed") {
            bench.names().count { $0.hasPrefix("web.log.") && $0.hasSuffix(".gz") } == count
                && bench.names().allSatisfy { !$0.hasSuffix(".part") }
        }
        pump.stop()
        #expect(count == 6)
        #expect(bench.names().count == 2 + 2 + count * 2, "\(bench.names())")
        for number in 1...count {
            let path = bench.path("web.log.\(number).gz")
            #expect(try Process(["/bin/gzip", "-t", path]).wait() == 0, "gzip finds \(path) damaged")
        }

        query.follows = false
        var reader = LogReader(LinuxLogFiles(), streams: [stream], query: query)
        var lines = 0
        while let line = reader.next() {
            lines += 1
            #expect(String(decoding: line.bytes, as: UTF8.self) == String(lines))
            let time = try #require(line.time)
            #expect(before <= time && time <= wallTime() && line.launch == LaunchID(2))
        }
        reader.close()
        #expect(lines == 60_000)
    }

    @Test func whatAKilledCompressionLeftIsDoneAnew() throws {
        let bench = try Workbench()
        old(bench, "web.log.1", "first\n", ago: 2 * Self.hour)
        bench.write(".web.log.1.gz.part", "half of it")
        old(bench, "web.log.2", "second\n", ago: Self.hour)
        #expect(try Process(["/bin/gzip", "-k", bench.path("web.log.2")]).wait() == 0)
        bench.write("web.log", "third\n")
        let stream = LogStream(label: "web", kind: .stdout, path: bench.path("web.log"))
        func read() -> [String] {
            var reader = LogReader(LinuxLogFiles(), streams: [stream], query: LogQuery())
            defer { reader.close() }
            var lines: [String] = []
            while let line = reader.next() { lines.append(String(decoding: line.bytes, as: UTF8.self)) }
            return lines
        }
        #expect(read() == ["first", "second", "third"], "a segment in both forms is read once")
        let pump = try LogPump()
        var rotate = rotation(1_000_000)
        rotate.compress = .gzip
        let writer = try attach(pump, bench, rotate)
        awaitFact("both are compressed") {
            let files = bench.names().filter { $0.hasPrefix("web.log") || $0.hasSuffix(".part") }
            return files == ["web.log", "web.log.1.gz", "web.log.2.gz"]
        }
        _ = consume writer
        drain(pump, LaunchID(2))
        pump.stop()
        #expect(read() == ["first", "second", "third"])
        var found = stat()
        _ = unsafe stat(bench.path("web.log.1.gz"), &found)
        let age = Int(wallTime().nanoseconds / 1_000_000_000) - Int(found.st_mtim.tv_sec)
        #expect((7_190...7_300).contains(age), "a segment keeps its age")
    }

    @Test func aSegmentThatCannotBeCompressedStaysAndIsSaid() throws {
        let bench = try Workbench()
        old(bench, "web.log.1", "first\n", ago: 1)
        #expect(unsafe mkdir(bench.path(".web.log.1.gz.part"), 0o700) == 0)
        let pump = try LogPump()
        var rotate = rotation(1_000_000)
        rotate.compress = .gzip
        let writer = try attach(pump, bench, rotate)
        let said = notices(of: pump) { $0.says("web.log.1 stays uncompressed") }
        #expect(said.contains { $0.says("Is a directory") })
        _ = consume writer
        drain(pump, LaunchID(2))
        pump.stop()
        #expect(bench.text("web.log.1") == "first\n")
    }
}
