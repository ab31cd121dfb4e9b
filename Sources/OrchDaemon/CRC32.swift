// SPDX-License-Identifier: Apache-2.0

/// CRC-32 (ISO 3309; the polynomial of zlib and Ethernet): tells a torn line from a whole one.
enum CRC32 {
    static func checksum(of bytes: [UInt8], from start: Int) -> UInt32 {
        let (table, span) = (table, bytes.span)
        let entries = table.span
        var sum = ~UInt32(0)
        for place in start..<span.count {
            sum = entries[Int(UInt8(truncatingIfNeeded: sum) ^ span[place])] ^ (sum >> 8)
        }
        return ~sum
    }

    private static let table: [UInt32] = (0..<256).map { index in
        var entry = UInt32(index)
        for _ in 0..<8 { entry = entry & 1 == 1 ? 0xedb8_8320 ^ (entry >> 1) : entry >> 1 }
        return entry
    }
}
