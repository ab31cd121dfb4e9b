// SPDX-License-Identifier: Apache-2.0

/// CRC-32 (ISO 3309; the polynomial of zlib and Ethernet): tells a torn line from a whole one.
public enum CRC32 {
    /// O(n).
    public static func checksum(of bytes: Span<UInt8>) -> UInt32 {
        let tables = tables
        let entries = tables.span
        var sum = ~UInt32(0)
        var place = 0
        // Eight bytes at a time ("slicing by eight"): entry 256 * k + b is what b is worth with k bytes behind it.
        while place + 8 <= bytes.count {
            var worth: UInt32 = 0
            for step in 0..<8 {
                let own = step < 4 ? UInt8(truncatingIfNeeded: sum >> UInt32(8 * step)) : 0
                worth ^= entries[256 * (7 - step) + Int(bytes[place + step] ^ own)]
            }
            sum = worth
            place += 8
        }
        while place < bytes.count {
            sum = entries[Int(UInt8(truncatingIfNeeded: sum) ^ bytes[place])] ^ (sum >> 8)
            place += 1
        }
        return ~sum
    }

    private static let tables: [UInt32] = {
        var tables: [UInt32] = (0..<256).map { index in
            var entry = UInt32(index)
            for _ in 0..<8 { entry = entry & 1 == 1 ? 0xedb8_8320 ^ (entry >> 1) : entry >> 1 }
            return entry
        }
        for place in 256..<2_048 {
            let before = tables[place - 256]
            tables.append(tables[Int(before & 255)] ^ (before >> 8))
        }
        return tables
    }()
}
