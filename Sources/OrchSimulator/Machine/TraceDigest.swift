// SPDX-License-Identifier: Apache-2.0

/// A running sum over everything that went into the daemon and came out of it, by FNV-1a's step (Fowler, Noll, Vo) on words. Two runs with
/// the same sum took the same way; it keeps no secrets.
struct TraceDigest {
    private(set) var sum: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix(_ word: UInt64) {
        sum = (sum ^ word) &* 0x0000_0100_0000_01b3
        sum ^= sum >> 32
    }
    mutating func mix(_ number: Int) { mix(UInt64(bitPattern: Int64(number))) }

    mutating func mix(_ bytes: [UInt8]) { mix(bytes.span) }
    mutating func mix(_ text: String) {
        var word: UInt64 = 0
        var count = 0
        for byte in text.utf8 {
            word = word << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 { mix(word) }
        }
        mix(word)
        mix(count)
    }

    private mutating func mix(_ span: Span<UInt8>) {
        var place = 0
        while place &+ 8 <= span.count {
            // Eight looks that are one load.
            let piece = span.extracting(place..<place &+ 8)
            let high = Self.word(piece[0], piece[1], piece[2], piece[3])
            mix(high << 32 | Self.word(piece[4], piece[5], piece[6], piece[7]))
            place &+= 8
        }
        var word: UInt64 = 0
        while place < span.count {
            word = word << 8 | UInt64(span[place])
            place &+= 1
        }
        mix(word)
        mix(span.count)
    }

    private static func word(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt64 {
        UInt64(a) << 24 | UInt64(b) << 16 | UInt64(c) << 8 | UInt64(d)
    }
}
