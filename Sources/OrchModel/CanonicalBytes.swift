// SPDX-License-Identifier: Apache-2.0

/// One byte encoding for one tree, for digests: a tag, then a length and the content. Not for reading back.
extension Value {
    public var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1_024)
        appendCanonical(to: &bytes)
        return bytes
    }

    private func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(0)
        case .bool(let flag): bytes.append(flag ? 2 : 1)
        case .int(let number):
            bytes.append(3)
            Self.append(UInt64(bitPattern: number), to: &bytes)
        case .double(let number):
            bytes.append(4)
            Self.append(number.bitPattern, to: &bytes)
        case .string(let text):
            bytes.append(5)
            Self.append(text, to: &bytes)
        case .array(let items):
            bytes.append(6)
            Self.append(UInt64(items.count), to: &bytes)
            for item in items { item.appendCanonical(to: &bytes) }
        case .object(let members):
            bytes.append(7)
            Self.append(UInt64(members.count), to: &bytes)
            for member in members {
                Self.append(member.key, to: &bytes)
                member.value.appendCanonical(to: &bytes)
            }
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    /// Seven bits a byte, the lowest first (LEB128).
    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 128 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
