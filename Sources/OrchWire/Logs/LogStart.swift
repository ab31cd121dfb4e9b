// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Where in a log's segments to begin, found from its end backwards so that a long log isn't read for a few lines.
struct LogStart {
    /// Nil: the active file.
    var number: Int?
    var offset: Int64 = 0
    /// Lines from here on that the query takes; counted only for `last`.
    var lines = 0

    private static let blockBytes = 32 << 10

    /// - Parameters:
    ///   - end: what came after it is not counted.
    ///   - accepts: whether the query takes a line, but for its times.
    static func find(
        _ files: any LogFiles, path: String, query: LogQuery, end: LogCursor.End?,
        accepts: ([UInt8], LogIndex.Entry?) -> Bool
    ) -> LogStart {
        let (folder, name) = LogLayout.split(path)
        let segments = LogLayout.segments(of: name, among: files.names(in: folder))
        let numbers: [Int?] = segments.map { $0 } + [nil]
        var start = LogStart(number: nil, offset: 0)
        for number in numbers.reversed() {
            let size = end?.bytes(of: number ?? (segments.last ?? 0) + 1) ?? .max
            guard size > 0 else { continue }
            let itsName = number.map { LogLayout.segment(name, $0) } ?? name
            guard let file = files.open(LogLayout.join(folder, itsName)) else { continue }
            // Before the index, which tells of bytes before they are there: what is written from here on is not skipped.
            let present = files.size(of: file)
            var times = LogTimes(files, folder: folder, name: name, itsName: itsName, inode: file.inode)
            defer {
                times.close()
                files.close(file)
            }
            start = LogStart(number: number, offset: 0, lines: start.lines)
            if let last = query.last {
                let size = min(size, present)
                if start.countBack(files, file, size, &times, query, last: last, accepts: accepts) { return start }
            } else if let since = query.since {
                if times.isMissing { continue }
                if let first = times.firstTime(), first < since {
                    start.offset = times.offset(since: since) ?? present
                    return start
                }
            }
        }
        return start
    }

    /// Counts lines of the first `size` bytes of one file from their end; true once `last` are found or the rest is too old. `offset` is then the first one's.
    private mutating func countBack(
        _ files: any LogFiles, _ file: OpenLog, _ size: Int64, _ times: inout LogTimes, _ query: LogQuery, last: Int,
        accepts: ([UInt8], LogIndex.Entry?) -> Bool
    ) -> Bool {
        if last <= lines {
            offset = size
            return true
        }
        var high = size
        var carry: [UInt8] = []
        var found = size
        func isEnough(_ line: [UInt8], at start: Int64) -> Bool {
            let entry = times.entry(at: start)
            if let since = query.since, let time = entry?.time, time < since { return true }
            found = start
            if let until = query.until, let time = entry?.time, time > until { return false }
            if accepts(line, entry) { lines += 1 }
            return lines >= last
        }
        while high > 0 {
            let low = max(0, high - Int64(Self.blockBytes))
            let block = files.read(file, at: low, count: Int(high - low))
            guard block.count == Int(high - low) else { break }
            var end = block.count
            for index in block.indices.reversed() where block[index] == 10 {
                let start = low + Int64(index) + 1
                if start < size, isEnough(Array(block[index + 1..<end]) + carry, at: start) {
                    offset = found
                    return true
                }
                carry = []
                end = index
            }
            carry = Array((block[0..<end] + carry).prefix(Limits.logViewBytes))
            high = low
        }
        let isDone = size > 0 && isEnough(carry, at: 0)
        offset = found
        return isDone
    }
}
