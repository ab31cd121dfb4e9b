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

    mutating func mix(_ bytes: [UInt8]) {
        let span = bytes.span
        let whole = bytes.count & ~7
        for place in stride(from: 0, to: whole, by: 8) {
            var word: UInt64 = 0
            for offset in 0..<8 { word = word << 8 | UInt64(span[place + offset]) }
            mix(word)
        }
        var word: UInt64 = 0
        for byte in bytes[whole...] { word = word << 8 | UInt64(byte) }
        mix(word)
        mix(bytes.count)
    }

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
}
