// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What `orch attach` and the daemon say to each other over a socket that keeps packets apart: a byte that says what it is, then that.
/// Numbers are little endian.
public enum AttachPacket: Equatable, Sendable {
    // MARK: To the daemon
    /// First: which launch, and the size of the terminal that it is seen on, if it is one.
    case hello(LaunchID, TerminalSize?)
    /// What was typed.
    case input([UInt8])
    case resized(TerminalSize)

    // MARK: From the daemon
    /// It may be attached to. `hasTerminal`: keys go to it as they are, it echoes them and edits lines.
    case accepted(hasTerminal: Bool)
    /// Why not, and what helps.
    case refused(reason: String, remedy: String)
    /// What came before is in that file, up to `offset`; an empty path: nowhere. `stream` nil is both in one. `isRaw`: byte for byte.
    case begin(LogStreamKind?, isRaw: Bool, path: String, offset: Int64)
    case output(LogStreamKind?, [UInt8])
    /// So many bytes were left out as they were not read in time.
    case missed(LogStreamKind?, bytes: Int)

    /// Output and input come in pieces of at most this.
    public static let pieceBytes = 8_192
    /// Of a whole packet; paths have at most 4,096.
    public static let longest = 16_384

    /// Of `hello`: another one is refused.
    private static let version: UInt8 = 1

    public var bytes: [UInt8] {
        switch self {
        case .hello(let launch, let size):
            [UInt8(ascii: "H"), Self.version] + Self.bytes(of: launch.number) + Self.bytes(of: size)
        case .input(let typed): [UInt8(ascii: "I")] + typed
        case .resized(let size): [UInt8(ascii: "W")] + Self.bytes(of: size)
        case .accepted(let hasTerminal): [UInt8(ascii: "A"), hasTerminal ? 1 : 0]
        case .refused(let reason, let remedy): [UInt8(ascii: "R")] + Array(reason.utf8) + [0] + Array(remedy.utf8)
        case .begin(let stream, let isRaw, let path, let offset):
            [UInt8(ascii: "B"), Self.byte(of: stream), isRaw ? 1 : 0] + Self.bytes(of: offset) + Array(path.utf8)
        case .output(let stream, let output): [UInt8(ascii: "O"), Self.byte(of: stream)] + output
        case .missed(let stream, let count): [UInt8(ascii: "M"), Self.byte(of: stream)] + Self.bytes(of: Int64(count))
        }
    }

    /// Nil for what `bytes` did not write, or another version did.
    public init?(_ packet: some Collection<UInt8>) {
        let rest = Array(packet.dropFirst())
        switch packet.first {
        case UInt8(ascii: "H"):
            guard rest.count == 13, rest[0] == Self.version, let launch: UInt64 = Self.number(rest[1..<9]) else {
                return nil
            }
            self = .hello(LaunchID(launch), Self.size(rest[9...]))
        case UInt8(ascii: "I"): self = .input(rest)
        case UInt8(ascii: "W"):
            guard let size = Self.size(rest[...]) else { return nil }
            self = .resized(size)
        case UInt8(ascii: "A"):
            guard rest.count == 1 else { return nil }
            self = .accepted(hasTerminal: rest[0] == 1)
        case UInt8(ascii: "R"):
            let parts = rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            self = .refused(
                reason: String(decoding: parts[0], as: UTF8.self), remedy: String(decoding: parts[1], as: UTF8.self))
        case UInt8(ascii: "B"):
            guard rest.count >= 10, let stream = Self.stream(rest[0]), let offset: Int64 = Self.number(rest[2..<10])
            else {
                return nil
            }
            let path = String(decoding: rest[10...], as: UTF8.self)
            self = .begin(stream, isRaw: rest[1] == 1, path: path, offset: offset)
        case UInt8(ascii: "O"):
            guard let first = rest.first, let stream = Self.stream(first) else { return nil }
            self = .output(stream, Array(rest.dropFirst()))
        case UInt8(ascii: "M"):
            guard rest.count == 9, let stream = Self.stream(rest[0]), let count: Int64 = Self.number(rest[1...]) else {
                return nil
            }
            self = .missed(stream, bytes: Int(count))
        default: return nil
        }
    }

    private static func bytes<Number: FixedWidthInteger>(of number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Number? {
        guard bytes.count == Number.bitWidth / 8 else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    /// Rows, then columns; 0 and 0 for what is no terminal.
    private static func bytes(of size: TerminalSize?) -> [UInt8] {
        bytes(of: UInt16(clamping: size?.rows ?? 0)) + bytes(of: UInt16(clamping: size?.columns ?? 0))
    }

    private static func size(_ bytes: ArraySlice<UInt8>) -> TerminalSize? {
        guard bytes.count == 4, let rows: UInt16 = number(bytes.prefix(2)),
            let columns: UInt16 = number(bytes.suffix(2)),
            rows > 0, columns > 0
        else { return nil }
        return TerminalSize(columns: Int(columns), rows: Int(rows))
    }

    private static func byte(of stream: LogStreamKind?) -> UInt8 {
        switch stream {
        case nil: 0
        case .stdout: 1
        case .stderr: 2
        }
    }

    private static func stream(_ byte: UInt8) -> LogStreamKind?? {
        switch byte {
        case 0: .some(nil)
        case 1: .some(.stdout)
        case 2: .some(.stderr)
        default: nil
        }
    }
}
