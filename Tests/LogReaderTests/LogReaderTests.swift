// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@Suite struct LogReaderTests {
    private let files = MemoryFiles()
    private let web = LogStream(label: "web", kind: .stdout, path: "/logs/web.log")
    private let db = LogStream(label: "db", kind: .stdout, path: "/logs/db.log")

    private func query(_ change: (inout LogQuery) -> Void = { _ in }) -> LogQuery {
        var query = LogQuery()
        change(&query)
        return query
    }

    private func all(_ reader: inout LogReader) -> [String] {
        var texts: [String] = []
        while let line = reader.next() { texts.append("\(line.stream):\(String(decoding: line.bytes, as: UTF8.self))") }
        return texts
    }

    private func read(_ streams: [LogStream], _ query: LogQuery = LogQuery()) -> [String] {
        var reader = LogReader(files, streams: streams, query: query)
        defer { reader.close() }
        return all(&reader)
    }

    @Test func mergesStreamsAndSegmentsByTime() {
        files.append(web.path, "w1\nw2\n", second: 1)
        files.append(db.path, "d1\n", second: 2)
        files.append(web.path, "w3\n", second: 3)
        files.rotate(web.path, 1)
        files.append(db.path, "d2\n", second: 4)
        files.append(web.path, "w4\nw5", second: 5)
        #expect(read([web, db]) == ["0:w1", "0:w2", "1:d1", "0:w3", "1:d2", "0:w4", "0:w5"])
        #expect(files.openCount == 0)
    }

    @Test func knowsTheLaunchBefore() {
        let errors = LogStream(label: "web", kind: .stderr, path: "/logs/web-error.log")
        files.append(web.path, "one\n", second: 1, launch: 3)
        files.rotate(web.path, 1)
        files.append(web.path, "two\n", second: 2, launch: 7)
        files.append(errors.path, "three\n", second: 3, launch: 5, stream: .stderr)
        func last(before launch: UInt64, _ streams: LogStream...) -> UInt64? {
            LogLaunches.last(before: LaunchID(launch), in: streams.map(\.path), files)?.number
        }
        #expect(last(before: 9, web) == 7)
        #expect(last(before: 7, web) == 3)
        #expect(last(before: 7, web, errors) == 5)
        #expect(last(before: 3, web, errors) == nil)
        #expect(files.openCount == 0)
        let query = query { $0.accepts = { $0.launch == LaunchID(3) } }
        #expect(read([web, errors], query) == ["0:one"])
    }

    @Test func takesTheNewestLinesOverAllStreams() {
        for second in 1...50 {
            files.append(web.path, "w\(second)\n", second: Double(second))
            if second % 10 == 0 { files.rotate(web.path, second / 10) }
        }
        files.append(db.path, "d\n", second: 48.5)
        #expect(read([web, db], query { $0.last = 4 }) == ["0:w48", "1:d", "0:w49", "0:w50"])
        #expect(read([web], query { $0.last = 15 }).first == "0:w36")
        #expect(read([web], query { $0.last = 1000 }).count == 50)
        #expect(read([web, db], query { $0.last = 0 }) == [])
        #expect(
            read(
                [web],
                query {
                    $0.last = 2; $0.accepts = { $0.bytes.last == UInt8(ascii: "7") }
                }) == ["0:w37", "0:w47"])
    }

    @Test func readsLittleOfALongLogForItsLastLines() {
        files.append(web.path, String(repeating: "a line of a long log\n", count: 500_000), second: 1)
        files.append(web.path, "last\n", second: 2)
        #expect(read([web], query { $0.last = 100 }).last == "0:last")
        #expect(files.bytesRead < 200_000)
    }

    @Test func findsATimeByTheIndex() {
        for minute in 0..<2000 {
            files.append(web.path, String(repeating: "m\(minute)\n", count: 100), second: Double(minute * 60))
        }
        let lines = read(
            [web],
            query {
                $0.since = time(1990 * 60); $0.until = time(1991 * 60)
            })
        #expect(lines == [String](repeating: "0:m1990", count: 100) + [String](repeating: "0:m1991", count: 100))
        #expect(files.bytesRead < 300_000)
        #expect(read([web], query { $0.since = time(1e6) }) == [])
        #expect(
            read(
                [web],
                query {
                    $0.since = time(1998 * 60); $0.last = 150
                }
            ).count == 150)
        #expect(
            read(
                [web],
                query {
                    $0.since = time(1999 * 60); $0.last = 150
                }
            ).count == 100)
    }

    @Test func aLineBelongsToTheTimeOfItsBeginning() {
        files.append(web.path, "one\nbeg", second: 1)
        files.append(web.path, "un\ntwo\n", second: 9)
        #expect(read([web], query { $0.since = time(5) }) == ["0:two"])
        #expect(read([web], query { $0.until = time(5) }) == ["0:one", "0:begun"])
    }

    @Test func followsAcrossRotationsEvenWhenASegmentIsGone() {
        files.append(web.path, "w1\n", second: 1)
        var reader = LogReader(files, streams: [web, db], query: query { $0.follows = true })
        #expect(all(&reader) == ["0:w1"])
        files.append(web.path, "w2\nhal", second: 2)
        #expect(all(&reader) == ["0:w2"])
        files.append(web.path, "f\nw3\n", second: 3)
        files.rotate(web.path, 1)
        files.append(web.path, "w4\n", second: 4)
        files.rotate(web.path, 2)
        files.append(web.path, "w5\n", second: 5)
        files.append(db.path, "d1\n", second: 4.5)
        #expect(all(&reader) == ["0:half", "0:w3", "0:w4", "1:d1", "0:w5"])
        for number in 3...6 {
            files.rotate(web.path, number)
            files.append(web.path, "x\(number)\n", second: Double(number + 5))
        }
        files.remove(LogLayout.segment(web.path, 3))
        files.remove(LogLayout.segment(web.path, 4))
        #expect(all(&reader) == ["0:x4", "0:x5", "0:x6"])
        reader.close()
        #expect(files.openCount == 0)
    }

    @Test func followsFromTheEnd() {
        files.append(web.path, "old\n", second: 1)
        var reader = LogReader(
            files, streams: [web],
            query: query {
                $0.follows = true; $0.last = 0
            })
        #expect(all(&reader) == [])
        files.append(web.path, "new\n", second: 2)
        #expect(all(&reader) == ["0:new"])
    }

    /// Between the look at the index and the look at the file's end somebody writes: `orch up` and `orch run` show that.
    @Test func whatIsWrittenWhileTheBeginningIsSoughtIsShown() {
        files.append(web.path, "old\n", second: 1)
        files.meanwhile = {
            self.files.meanwhile = {}
            self.files.append(self.web.path, "new\n", second: 9)
        }
        var reader = LogReader(
            files, streams: [web],
            query: query {
                $0.since = time(5)
                $0.follows = true
            })
        #expect(all(&reader) == ["0:new"])
        reader.close()
    }

    @Test(arguments: [nil, 1, 2]) func whoWritesFasterThanItIsReadIsNotFollowed(_ last: Int?) {
        files.append(web.path, "w1\nw2\n", second: 1)
        files.append(db.path, "d1\n", second: 2)
        var turn = 0
        files.meanwhile = {
            turn += 1
            guard turn < 10_000 else { return }
            files.append(web.path, "later\n", second: 3)
            files.append(db.path, String(repeating: "later\n", count: 20_000), second: 3)
            if turn % 3 == 0 { files.rotate(web.path, turn / 3) }
        }
        let shown = read([web, db], query { $0.last = last })
        #expect(shown == ["0:w1", "0:w2", "1:d1"].suffix(last ?? 3))
        #expect(turn < 100 && files.openCount == 0)
    }

    @Test func aLineThatWasCutByRotationIsOneLine() {
        files.append(web.path, "very ", second: 1)
        files.rotate(web.path, 1)
        files.append(web.path, "long\nnext\n", second: 2)
        #expect(read([web]) == ["0:very long", "0:next"])
    }

    @Test func streamsOfOneFileAreReadOnceAndToldApart() {
        let errors = LogStream(label: "web", kind: .stderr, path: web.path)
        files.append(web.path, "o1\n", second: 1)
        files.append(web.path, "e1\n", second: 1, stream: .stderr)
        files.append(web.path, "o2\n", second: 1.5)
        #expect(read([web, errors]) == ["0:o1", "1:e1", "0:o2"])
        #expect(read([errors]) == ["0:e1"])
        #expect(read([errors], query { $0.last = 5 }) == ["0:e1"])
    }

    @Test func aLogWithoutAnIndexHasItsLines() {
        files.append(web.path, "a\n\nb\n")
        files.append(db.path, "d\n", second: 1)
        #expect(read([web, db], query { $0.since = time(0) }) == ["0:a", "0:", "0:b", "1:d"])
        #expect(read([web], query { $0.last = 2 }) == ["0:", "0:b"])
    }

    @Test func anIndexOfAnotherFileIsNotBelieved() {
        files.append(web.path, "old\n", second: 1)
        files.remove(web.path)
        files.append(web.path, "new\n")
        var reader = LogReader(files, streams: [web], query: LogQuery())
        #expect(reader.next()?.time == nil)
        reader.close()
    }

    /// Between two looks a segment may get another file and another index.
    @Test func aSegmentThatIsCompressedWhileItIsOpenedKeepsItsTimes() {
        files.append(web.path, "w1\nw2\n", second: 1)
        files.rotate(web.path, 1)
        files.append(web.path, "w3\n", second: 2)
        let segment = LogLayout.segment(web.path, 1)
        files.whenOpened = { [files] path in if path == segment { files.compress(segment) } }
        var reader = LogReader(files, streams: [web], query: query { $0.follows = true })
        var times: [WallTime?] = []
        while let line = reader.next() { times.append(line.time) }
        #expect(times == [time(1), time(1), time(2)])
        reader.close()
        #expect(files.openCount == 0)
    }

    @Test func launchesAreKnown() {
        files.append(web.path, "first\n", second: 1, launch: 1)
        files.append(web.path, "second\n", second: 2, launch: 2)
        #expect(read([web], query { $0.accepts = { $0.launch == LaunchID(1) } }) == ["0:first"])
    }
}

@Suite struct LogLayoutTests {
    private func path(_ spec: LoggingSpec, _ stream: LogStreamKind = .stdout, replica: Int = 1) -> String? {
        LogLayout.path(for: stream, spec: spec, stack: "shop", service: "web", replica: replica, state: "/state")
    }

    @Test func everyReplicaHasItsFile() {
        var spec = LoggingSpec()
        #expect(path(spec) == "/state/logs/shop/web/stdout.log")
        #expect(path(spec, .stderr, replica: 3) == "/state/logs/shop/web/stderr.3.log")
        spec.stdout = .file("/var/a.b/web.log")
        spec.stderr = .merge
        #expect(path(spec, .stderr, replica: 2) == "/var/a.b/web.2.log")
        spec.stdout = .file("/var/a.b/web")
        #expect(path(spec, replica: 2) == "/var/a.b/web-2")
        spec.stdout = .file("/.web")
        #expect(path(spec, replica: 2) == "/.web-2")
        spec.stdout = .file("/var/${ORCH_REPLICA}/${ORCH_SERVICE}.log")
        #expect(path(spec, replica: 2) == "/var/2/web.log")
        spec.stdout = .append("/var/all.log")
        #expect(path(spec, replica: 2) == "/var/all.log")
        spec.stdout = .discard
        #expect(path(spec) == nil)
    }

    @Test func segmentsAreWhatRotationNamed() {
        let names = [
            "web.log", "web.log.2", "web.log.10", "web.log.x", "web.log.01", "web.log.-1", "web.log.",
            ".web.log.2.index", "web.log.gz", "web2.log.3", "web.log.10.gz", "web.log.1.5", ".hidden.4", "4",
        ]
        #expect(LogLayout.segments(of: "web.log", among: names) == [2, 10])
        // A folder at once says what it says file by file.
        let all = LogLayout.segments(among: names)
        #expect(all == ["web.log": [2, 10], "web2.log": [3], "web.log.1": [5], ".hidden": [4]])
        for (name, numbers) in all { #expect(LogLayout.segments(of: name, among: names) == numbers) }
        #expect(LogLayout.index(of: LogLayout.segment("web.log", 7)) == ".web.log.7.index")
    }

    @Test func entriesSurviveTheirBytes() {
        let entry = LogIndex.Entry(
            offset: 1 << 40 + 5, time: time(-1.5), launch: LaunchID(.max), stream: .stderr, continuesLine: true)
        #expect(LogIndex.decode(LogIndex.encode(entry)) == entry)
        #expect(LogIndex.encode(entry).count == LogIndex.entryBytes)
        #expect(LogIndex.decode([1, 2, 3]) == nil)
        #expect(LogIndex.inode(ofHeader: LogIndex.header(inode: 77)) == 77)
        #expect(LogIndex.inode(ofHeader: [UInt8](repeating: 0, count: 16)) == nil)
    }
}
