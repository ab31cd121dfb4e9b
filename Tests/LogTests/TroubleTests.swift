// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

@Suite(.serialized) struct TroubleTests {
    @Test func aSymbolicLinkIsRefusedAndNothingIsLost() throws {
        let bench = try Workbench()
        bench.write("victim", "precious\n")
        try #require(unsafe symlink(bench.path("victim"), bench.path("web.log")) == 0)
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("web.log"))))
        put("line\n", pipe.write)
        _ = notices(of: pump) { $0.says("symbolic link") }
        #expect(bench.text("victim") == "precious\n")
        unsafe unlink(bench.path("web.log"))
        awaitFact("it is written once the link is gone") { bench.text("web.log") == "line\n" }
        _ = notices(of: pump) { $0.says("is written again") }
        pump.stop()
        #expect(bench.text("victim") == "precious\n")
    }

    @Test func aHardLinkAndAFolderAreRefused() throws {
        let bench = try Workbench()
        bench.write("victim", "precious\n")
        try #require(unsafe link(bench.path("victim"), bench.path("linked.log")) == 0)
        try #require(unsafe mkdir(bench.path("folder.log"), 0o700) == 0)
        let pump = try LogPump()
        let one = try Descriptor.pipe()
        let two = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: one.read, sink: LogSink(.file(bench.path("linked.log"))))
        pump.attach(
            LaunchID(2), .stdout, readEnd: two.read, sink: LogSink(.file(bench.path("folder.log")), whenFull: .drop))
        put("line\n", one.write)
        put("line\n", two.write)
        var said = notices(of: pump) { $0.says("hard link") }
        if !said.contains(where: { $0.says("folder.log") }) { said += notices(of: pump) { $0.says("folder.log") } }
        #expect(said.contains { $0.says("its writers wait") })
        #expect(said.contains { $0.says("dropped") })
        pump.stop()
        #expect(bench.text("victim") == "precious\n")
    }

    @Test func aDeletedFileIsMadeAgain() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("deep/er/web.log"))))
        put("one\n", pipe.write)
        awaitFact("it is written") { bench.text("deep/er/web.log") == "one\n" }
        try Process(["/bin/rm", "-r", bench.path("deep")]).wait()
        put("two\n", pipe.write)
        awaitFact("it is made again, with its folders") { bench.text("deep/er/web.log") == "two\n" }
        pump.stop()
    }

    @Test func aTruncatedFileIsContinuedAtItsNewEnd() throws {
        let bench = try Workbench()
        let pump = try LogPump()
        let pipe = try Descriptor.pipe()
        pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file(bench.path("web.log"))))
        put("one\n", pipe.write)
        awaitFact("it is written") { bench.text("web.log") == "one\n" }
        try #require(unsafe truncate(bench.path("web.log"), 0) == 0)
        put("two\n", pipe.write)
        awaitFact("no hole") { bench.text("web.log") == "two\n" }
        pump.stop()
        #expect(bench.entries("web.log").map(\.offset) == [0])
    }

    @Test(.enabled("mounting a tmpfs needs root") { geteuid() == 0 })
    func aFullDiskBlocksTheWriterAndLosesNothing() throws {
        let bench = try Workbench()
        try withDisk(bench) { disk in
            let ballast = unsafe open("\(disk)/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            put([UInt8](repeating: 0, count: 512 << 10), ballast)
            close(ballast)
            let pump = try LogPump()
            let pipe = try Descriptor.pipe()
            pump.attach(
                LaunchID(1), .stdout, readEnd: pipe.read, sink: LogSink(.file("\(disk)/web.log"), rotate: rotation(nil))
            )
            let writer = try Process(["/usr/bin/seq", "120000"], [1: pipe.write.number])
            _ = consume pipe.write
            _ = notices(of: pump) { $0.says("No space left") }
            unsafe unlink("\(disk)/ballast")
            #expect(try writer.wait() == 0)
            drain(pump, LaunchID(1))
            pump.stop()
            #expect(bench.text("disk/web.log") == (1...120_000).map { "\($0)\n" }.joined())
        }
    }

    @Test(.enabled("mounting a tmpfs needs root") { geteuid() == 0 })
    func aFullDiskTakesTheOldestSegmentsFirst() throws {
        let bench = try Workbench()
        try withDisk(bench) { disk in
            let pump = try LogPump()
            let pipe = try Descriptor.pipe()
            pump.attach(
                LaunchID(1), .stdout, readEnd: pipe.read,
                sink: LogSink(.file("\(disk)/web.log"), rotate: rotation(100_000, keep: 1000)))
            let writer = try Process(["/usr/bin/seq", "400000"], [1: pipe.write.number])
            #expect(try writer.wait() == 0)
            _ = consume pipe.write
            let said = drain(pump, LaunchID(1))
            #expect(!said.contains { $0.says("can't be written") }, "\(said)")
            pump.stop()
            #expect(bench.text("disk/web.log").hasSuffix("\n400000\n"))
        }
    }

    @Test(.enabled("mounting a tmpfs needs root") { geteuid() == 0 })
    func whatIsDroppedOnAFullDiskIsCountedInTheFile() throws {
        let bench = try Workbench()
        try withDisk(bench) { disk in
            let ballast = unsafe open("\(disk)/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            put([UInt8](repeating: 0, count: 512 << 10), ballast)
            close(ballast)
            let pump = try LogPump()
            let pipe = try Descriptor.pipe()
            let sink = LogSink(.file("\(disk)/web.log"), rotate: rotation(nil), whenFull: .drop)
            pump.attach(LaunchID(1), .stdout, readEnd: pipe.read, sink: sink)
            let writer = try Process(["/usr/bin/seq", "200000"], [1: pipe.write.number])
            #expect(try writer.wait() == 0, "the writer is never held up")
            unsafe unlink("\(disk)/ballast")
            _ = notices(of: pump) { $0.says("is written again") }
            put("after\n", pipe.write)
            _ = consume pipe.write
            drain(pump, LaunchID(1))
            pump.stop()
            let lines = bench.text("disk/web.log").split(separator: "\n")
            let note = try #require(lines.first { $0.hasPrefix("orch: dropped ") })
            let dropped = try #require(note.split(separator: " ").dropFirst(2).first.flatMap { Int($0) })
            let whole = lines.filter { Int($0) != nil }.count
            // The line that the full disk cut in two is counted as dropped, and its beginning is there.
            #expect((200_000...200_001).contains(dropped + whole), "\(dropped) dropped, \(whole) written")
            #expect(note.contains("No space left on device"))
            #expect(lines.last == "after")
        }
    }

    private func withDisk(_ bench: Workbench, _ body: (String) throws -> Void) throws {
        let disk = bench.path("disk")
        try #require(unsafe mkdir(disk, 0o700) == 0)
        let options = Array("size=1m".utf8CString)
        try #require(unsafe mount("tmpfs", disk, "tmpfs", 0, options) == 0)
        defer { unsafe umount2(disk, Int32(MNT_DETACH)) }
        try body(disk)
    }
}
