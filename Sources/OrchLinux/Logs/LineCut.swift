// SPDX-License-Identifier: Apache-2.0

/// Where the bytes that wait in a pipe may be cut so that a file ends between two lines. Pure.
struct LineCut: Equatable {
    /// Bytes to move into the current file, after `rotateFirst`. Zero only with `rotateFirst`.
    var take: Int
    /// The current file is full and ends with a line: rotate, then look again.
    var rotateFirst = false
    /// Rotate once `take` bytes are moved.
    var rotateAfter = false
    /// The cut after `take` lies within a line that is longer than every limit.
    var cutsLine = false

    /// Plans for a file of `offset` bytes that is to be rotated at `size`.
    ///
    /// A line stays whole: when no line end fits, the line that is being written goes on past `size`, for at most `lineLimit` bytes.
    /// - Parameter endsLine: whether the file is empty or its last byte is a newline.
    static func plan(_ window: Span<UInt8>, offset: Int64, size: Int64, endsLine: Bool, lineLimit: Int) -> LineCut {
        let room = Int(clamping: max(0, size - offset))
        // The end of the line that crosses isn't in sight: what is in sight fits.
        guard room < window.count else { return LineCut(take: window.count) }
        if let end = lastNewline(in: window, before: room) { return LineCut(take: end + 1, rotateAfter: true) }
        if endsLine, offset > 0 { return LineCut(take: 0, rotateFirst: true) }
        let allowed = Int(clamping: size + Int64(lineLimit) - offset)
        if let end = firstNewline(in: window), end < max(allowed, 1) {
            return LineCut(take: end + 1, rotateAfter: true)
        }
        guard allowed <= window.count else { return LineCut(take: window.count) }
        return allowed > 0
            ? LineCut(take: allowed, rotateAfter: true, cutsLine: true)
            : LineCut(take: 0, rotateFirst: true, cutsLine: true)
    }

    /// The index of the last newline below `limit`. O(length of the last line).
    static func lastNewline(in window: Span<UInt8>, before limit: Int) -> Int? {
        var index = min(limit, window.count) - 1
        while index >= 0 {
            if window[index] == 10 { return index }
            index -= 1
        }
        return nil
    }

    /// A line without its newline, as it is meant: a carriage return at its end belongs to that.
    static func content(of window: Span<UInt8>, _ line: Range<Int>) -> Range<Int> {
        guard let last = line.last, window[last] == 13 else { return line }
        return line.lowerBound..<last
    }

    /// The index of the first newline from `start` on. O(distance).
    static func firstNewline(in window: Span<UInt8>, from start: Int = 0) -> Int? {
        var index = start
        while index < window.count {
            if window[index] == 10 { return index }
            index += 1
        }
        return nil
    }
}
