// SPDX-License-Identifier: Apache-2.0

/// Takes terminal control sequences (ECMA-48: CSI, OSC and the other strings, charset designations) out of text. An unfinished string
/// ends with its line at the latest, so a stray ESC can't swallow a log.
struct ANSIStripper: Equatable {
    private enum State { case text, escape, parameters, string, stringEscape }
    private var state = State.text

    /// A new line begins with text.
    mutating func endLine() { state = .text }

    /// Appends to `output` what of `input` is text.
    mutating func strip(_ input: Span<UInt8>, _ range: Range<Int>, into output: inout [UInt8]) {
        for index in range {
            let byte = input[index]
            switch state {
            case .text:
                if byte == 0x1b { state = .escape } else { output.append(byte) }
            case .escape:
                switch byte {
                case 0x5b: state = .parameters
                case 0x50, 0x58, 0x5d, 0x5e, 0x5f: state = .string
                case 0x20...0x2f: break
                case 0x1b: break
                default: state = .text
                }
            case .parameters:
                if byte == 0x1b { state = .escape } else if byte >= 0x40, byte <= 0x7e { state = .text }
            case .string:
                if byte == 0x1b { state = .stringEscape } else if byte == 7 { state = .text }
            case .stringEscape:
                state = byte == 0x5c ? .text : byte == 0x1b ? .stringEscape : .string
            }
        }
    }
}
