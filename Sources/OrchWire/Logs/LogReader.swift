// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Reads logs as one: the lines of many streams and of their rotated segments, merged by time, oldest first; equal times in the order
/// of the streams. Two streams of one file are read once, and told apart by the time index.
public struct LogReader {
    private struct Source {
        var cursor: LogCursor
        /// The streams that were asked for and are in this file.
        var streams: [Int]
        var head: LogLine?
        var lastTime = WallTime(nanoseconds: .min)
        /// Nothing more will come.
        var isOver = false
    }

    private let files: any LogFiles
    private let kinds: [LogStreamKind]
    private let redactions: [Redaction]
    private let query: LogQuery
    private var sources: [Source] = []
    /// The sources that have a head, as a heap by its time.
    private var heap: [Int] = []
    /// Lines to leave out so that `last` are left.
    private var surplus = 0
    private var sinceLook = 0
    /// Lines that may come from busy sources before quiet ones are looked at again.
    private static let look = 256

    /// Finds where to begin; reads little of what it will not show.
    public init(_ files: any LogFiles, streams: [LogStream], query: LogQuery) {
        self.files = files
        self.query = query
        kinds = streams.map(\.kind)
        redactions = streams.map(\.redaction)
        var known: [String: Int] = [:]
        for (index, stream) in streams.enumerated() {
            if let source = known[stream.path] {
                sources[source].streams.append(index)
            } else {
                known[stream.path] = sources.count
                sources.append(Source(cursor: LogCursor(files, path: stream.path), streams: [index]))
            }
        }
        if !query.follows { for source in sources.indices { sources[source].cursor.stopAtEnd() } }
        for source in sources.indices {
            let path = streams[sources[source].streams[0]].path
            begin(source, path)
        }
        if let last = query.last { surplus = max(0, surplus - last) }
        look()
    }

    private mutating func begin(_ source: Int, _ path: String) {
        guard query.last != nil || query.since != nil else { return }
        let (streams, kinds, redactions, accepts) = (sources[source].streams, kinds, redactions, query.accepts)
        let start = LogStart.find(files, path: path, query: query, end: sources[source].cursor.end) { bytes, entry in
            guard let stream = Self.stream(of: entry, among: streams, kinds) else { return false }
            guard let accepts else { return true }
            return accepts(
                LogLine(
                    stream: stream, time: entry?.time, launch: entry?.launch,
                    bytes: redactions[stream].applied(to: bytes), isComplete: true))
        }
        surplus += start.lines
        sources[source].cursor.seek(to: start.number, offset: start.offset)
    }

    /// The next line; nil when there is none. When the query follows, ask again after the files have grown.
    public mutating func next() -> LogLine? {
        while true {
            if heap.isEmpty || sinceLook >= Self.look {
                guard query.follows || !heap.isEmpty else { return nil }
                look()
            }
            guard let source = heap.first, let line = sources[source].head else { return nil }
            sinceLook += 1
            sources[source].head = read(source)
            if sources[source].head == nil { removeTop() } else { sink(0) }
            if surplus > 0 {
                surplus -= 1
                continue
            }
            return line
        }
    }

    /// Closes what is open. The reader is of no use afterwards.
    public func close() {
        for source in sources { source.cursor.close() }
    }

    /// Reads a head for each source that has none.
    private mutating func look() {
        sinceLook = 0
        for source in sources.indices where sources[source].head == nil && !sources[source].isOver {
            guard let line = read(source) else { continue }
            sources[source].head = line
            heap.append(source)
            rise(heap.count - 1)
        }
    }

    /// The next line of a source that the query takes.
    private mutating func read(_ source: Int) -> LogLine? {
        while let piece = sources[source].cursor.next(follows: query.follows) {
            let time = piece.entry?.time
            if let time { sources[source].lastTime = time }
            if let since = query.since, let time, time < since { continue }
            if let until = query.until, let time, time > until {
                sources[source].isOver = true
                return nil
            }
            guard let stream = Self.stream(of: piece.entry, among: sources[source].streams, kinds) else { continue }
            let line = LogLine(
                stream: stream, time: time, launch: piece.entry?.launch,
                bytes: redactions[stream].applied(to: piece.bytes),
                isComplete: piece.isComplete)
            if let accepts = query.accepts, !accepts(line) { continue }
            return line
        }
        return nil
    }

    /// Which of a file's streams an entry speaks of; nil when it is one that was not asked for.
    private static func stream(of entry: LogIndex.Entry?, among streams: [Int], _ kinds: [LogStreamKind]) -> Int? {
        guard let kind = entry?.stream else { return streams.first }
        return streams.first { kinds[$0] == kind }
    }

    // MARK: The heap

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        let times = (sources[a].lastTime, sources[b].lastTime)
        return times.0 == times.1 ? a < b : times.0 < times.1
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0, isBefore(heap[place], heap[(place - 1) / 2]) {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [place * 2 + 1, place * 2 + 2] where child < heap.count && isBefore(heap[child], heap[least]) {
                least = child
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    private mutating func removeTop() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        sink(0)
    }
}
