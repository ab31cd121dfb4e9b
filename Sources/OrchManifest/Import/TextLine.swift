// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A line of a plain text file, and where it is.
struct TextLine {
    let file: String
    /// From 1.
    let number: Int
    /// Without its end.
    let bytes: ArraySlice<UInt8>

    /// All lines; they end with LF or CR LF.
    static func all(of source: Source) -> [TextLine] {
        source.bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated().map { index, bytes in
            TextLine(
                file: source.name, number: index + 1, bytes: bytes.last == 13 ? bytes.dropLast() : bytes)
        }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    /// The first byte that is no blank; nil when there is none.
    var first: UInt8? { bytes.first { !Self.isBlank($0) } }
    var isBlank: Bool { first == nil }
    var isIndented: Bool { bytes.first.map(Self.isBlank) ?? false }

    /// Where its text begins, or where the byte with this index stands.
    func position(ofByte index: Int? = nil) -> Position {
        let at = index ?? bytes.firstIndex { !Self.isBlank($0) } ?? bytes.startIndex
        let scalars = bytes[bytes.startIndex..<min(max(at, bytes.startIndex), bytes.endIndex)]
            .reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
        return Position(file: file, line: number, column: scalars + 1)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes.drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
        return rest
    }
}
