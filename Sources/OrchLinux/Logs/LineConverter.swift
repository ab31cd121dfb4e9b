// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Turns a stream's bytes into the lines of a file, for every format that is more than `raw`. Pure but for its own state.
struct LineConverter {
    /// What becomes of an unfinished line at the end of the bytes.
    enum Remainder {
        /// It waits in the pipe.
        case wait
        /// It is written and may go on later.
        case open
        /// It is written and ended: it grew past the limit, or its writer is gone.
        case close
    }

    private let format: LoggingSpec.Format
    private let strips: Bool
    private let stream: String
    private let isTerminal: Bool
    private var stripper = ANSIStripper()

    init(format: LoggingSpec.Format, stripsANSI: Bool, stream: LogStreamKind?, isTerminal: Bool = false) {
        self.isTerminal = isTerminal
        self.format = format
        strips = stripsANSI
        self.stream = (stream ?? .stdout).rawValue
    }

    /// Whether this format can write the first half of a line and go on later. A JSON object can't.
    var canContinueLine: Bool { format != .json }

    /// Appends converted lines to `output` until `room` bytes of output or the end; returns how many bytes of `input` they are.
    /// A line that doesn't fit isn't begun, except with `oneLine`: then the first line is written whatever its length, alone.
    /// - Parameter continuing: the output goes on within the line that the file ends with.
    mutating func convert(
        _ input: Span<UInt8>, stamp: [UInt8], remainder: Remainder, continuing: Bool, room: Int, oneLine: Bool = false,
        into output: inout [UInt8]
    ) -> Int {
        var consumed = 0
        var goesOn = continuing
        while consumed < input.count {
            var end = input.count
            var ending = remainder
            if let newline = LineCut.firstNewline(in: input, from: consumed) {
                end = newline
                ending = .close
            } else if ending == .wait {
                break
            }
            let isWhole = end < input.count
            if !isWhole, ending == .close, input.count - consumed > 4 { end = Self.scalarBoundary(input, before: end) }
            let state = stripper
            let length = output.count
            emit(input, consumed..<end, stamp: stamp, continuing: goesOn, ended: ending == .close, into: &output)
            if output.count > room, !(oneLine && consumed == 0) {
                output.removeSubrange(length...)
                stripper = state
                break
            }
            consumed = isWhole ? end + 1 : end
            goesOn = false
            if oneLine || !isWhole { break }
        }
        return consumed
    }

    private mutating func emit(
        _ input: Span<UInt8>, _ range: Range<Int>, stamp: [UInt8], continuing: Bool, ended: Bool,
        into output: inout [UInt8]
    ) {
        let range = isTerminal && ended ? LineCut.content(of: input, range) : range
        switch format {
        case .raw: text(input, range, into: &output)
        case .timestamped:
            if !continuing {
                output.append(contentsOf: stamp)
                output.append(32)
            }
            text(input, range, into: &output)
        case .json:
            output.append(contentsOf: #"{"time":""#.utf8)
            output.append(contentsOf: stamp)
            output.append(contentsOf: #"","stream":""#.utf8)
            output.append(contentsOf: stream.utf8)
            output.append(contentsOf: #"","message":""#.utf8)
            var message: [UInt8] = []
            text(input, range, into: &message)
            Self.escape(message, into: &output)
            output.append(contentsOf: #""}"#.utf8)
        }
        guard ended else { return }
        output.append(10)
        stripper.endLine()
    }

    private mutating func text(_ input: Span<UInt8>, _ range: Range<Int>, into output: inout [UInt8]) {
        if strips {
            stripper.strip(input, range, into: &output)
        } else {
            unsafe input.extracting(range).withUnsafeBytes { bytes in unsafe output.append(contentsOf: bytes) }
        }
    }

    /// The inside of a JSON string (RFC 8259, section 7). Bytes that aren't UTF-8 become U+FFFD.
    static func escape(_ bytes: [UInt8], into output: inout [UInt8]) {
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }) {
            output += bytes
            return
        }
        let digits = Array("0123456789abcdef".utf8)
        for byte in String(decoding: bytes, as: UTF8.self).utf8 {
            switch byte {
            case 0x22, 0x5c: output += [0x5c, byte]
            case 0x09: output += Array(#"\t"#.utf8)
            case 0x0d: output += Array(#"\r"#.utf8)
            case 0x00..<0x20, 0x7f: output += Array(#"\u00"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: output.append(byte)
            }
        }
    }

    /// The nearest place at or below `end` that doesn't split a UTF-8 sequence; `end` when the bytes there aren't one.
    static func scalarBoundary(_ input: Span<UInt8>, before end: Int) -> Int {
        for back in 1...3 where end - back > 0 {
            let byte = input[end - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? end - back : end
        }
        return end
    }
}
