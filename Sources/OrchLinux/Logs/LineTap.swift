// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Looks at each line of a pipe on its way into its file: the bad ones are copied to a file of errors, all to the machine's own log if that
/// is wanted. Lives on the pump's thread.
///
/// A line is looked at while it is still in the pipe, and goes on only afterwards. So a daemon that is killed between the two leaves the line
/// there, and the next one looks at it again: a block of the copy may come twice and none is lost, whatever becomes of the log itself.
final class LineTap {
    private let source: LoggingSpec.Levels.Source?
    private let pattern: RegularExpression?
    /// Where bad lines are copied, if anywhere.
    let errors: LogFile?
    /// Takes all lines, if anything does.
    let forwarder: LineForwarder?
    /// As the log's own.
    private var converter: LineConverter?
    /// Bytes at the head of the pipe that were looked at and have not gone on yet.
    var seen = 0
    /// Bad lines that are not in their file yet.
    var pending: [UInt8] = []
    /// Of a line whose beginning has gone on: its level, if it has one.
    private var rest: LogLevel??

    init(
        _ source: LoggingSpec.Levels.Source?, errors: LogFile?, converter: LineConverter?, forwarder: LineForwarder?
    ) throws(Fault) {
        self.source = source
        self.errors = errors
        self.forwarder = forwarder
        self.converter = converter
        if case .pattern(let text) = source { pattern = try RegularExpression(text) } else { pattern = nil }
    }

    /// Goes on where another one is.
    func takeOver(from former: LineTap) {
        seen = former.seen
        pending = former.pending
        rest = former.rest
    }

    /// Looks at lines of which all but the last one have their end; the last one has it, or is cut here. O(bytes).
    func look(at lines: Span<UInt8>, stamp: [UInt8], at wall: WallTime, _ now: Instant) {
        var bad: [UInt8] = []
        var start = 0
        while start < lines.count {
            let newline = LineCut.firstNewline(in: lines, from: start)
            let end = newline ?? lines.count
            let line = lines.extracting(start..<end)
            let content = lines.extracting(LineCut.content(of: lines, start..<end))
            let level = rest ?? level(of: content)
            forwarder?.forward(content, level, at: wall, now)
            if errors != nil, level?.isError ?? false {
                unsafe line.withUnsafeBytes { unsafe bad.append(contentsOf: $0) }
                bad.append(10)
            }
            rest = newline == nil ? .some(level) : nil
            start = end + 1
        }
        seen = lines.count
        guard !bad.isEmpty else { return }
        guard converter != nil else {
            pending += bad
            return
        }
        _ = converter?.convert(
            bad.span, stamp: stamp, remainder: .close, continuing: false, room: .max, into: &pending)
    }

    private func level(of line: Span<UInt8>) -> LogLevel? {
        switch source {
        case .json: LevelReader.json(line)
        case .prefix: LevelReader.prefix(line)
        case .pattern: pattern?.firstMatch(in: line) == nil ? nil : .error
        case nil: nil
        }
    }
}
