// SPDX-License-Identifier: Apache-2.0

/// A SHA-256 digest (FIPS 180-4). It names revisions and tells whether a definition changed; it keeps no secrets.
public struct Digest: Hashable, Sendable {
    // Its 256 bits, the highest first: compared and copied for every instance that is looked at, so no text.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// 64 lowercase hexadecimal digits. O(1), but written anew each time.
    public var hex: String {
        var text: [UInt8] = []
        text.append(hexOf: self)
        return String(decoding: text, as: UTF8.self)
    }
    /// The first twelve digits: what people see.
    public var short: String { String(hex.prefix(12)) }

    /// Reads 64 lowercase hexadecimal digits; nil for anything else.
    public init?(hex: String) { self.init(hex: hex.utf8.span) }

    /// The same of their bytes.
    public init?(hex digits: Span<UInt8>) {
        guard digits.count == 64 else { return nil }
        var words = InlineArray<4, UInt64>(repeating: 0)
        for place in 0..<64 {
            let digit = digits[place] &- UInt8(ascii: "0")
            let letter = digits[place] &- UInt8(ascii: "a")
            guard digit < 10 || letter < 6 else { return nil }
            words[place >> 4] = words[place >> 4] << 4 | UInt64(digit < 10 ? digit : letter + 10)
        }
        (first, second, third, fourth) = (words[0], words[1], words[2], words[3])
    }

    /// Digests bytes. O(n).
    public init(of bytes: [UInt8]) {
        var state: InlineArray<8, UInt32> = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        let whole = bytes.count & ~63
        for start in stride(from: 0, to: whole, by: 64) { Self.absorb(bytes, at: start, into: &state) }
        var rest = Array(bytes[whole...])
        rest.append(0x80)
        while rest.count % 64 != 56 { rest.append(0) }
        let bits = UInt64(bytes.count) &* 8
        for shift in stride(from: 56, through: 0, by: -8) {
            rest.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        for start in stride(from: 0, to: rest.count, by: 64) { Self.absorb(rest, at: start, into: &state) }
        func word(_ place: Int) -> UInt64 { UInt64(state[place]) << 32 | UInt64(state[place + 1]) }
        (first, second, third, fourth) = (word(0), word(2), word(4), word(6))
    }

    private static func absorb(_ bytes: [UInt8], at start: Int, into state: inout InlineArray<8, UInt32>) {
        var w = InlineArray<64, UInt32>(repeating: 0)
        let block = bytes.span.extracting(start..<start + 64)
        for i in 0..<16 {
            let j = i &* 4
            w[i] =
                UInt32(block[j]) << 24 | UInt32(block[j &+ 1]) << 16 | UInt32(block[j &+ 2]) << 8
                | UInt32(block[j &+ 3])
        }
        for i in 16..<64 {
            let (early, late) = (w[i &- 15], w[i &- 2])
            let s0 = rotated(early, 7) ^ rotated(early, 18) ^ (early >> 3)
            let s1 = rotated(late, 17) ^ rotated(late, 19) ^ (late >> 10)
            w[i] = w[i &- 16] &+ s0 &+ w[i &- 7] &+ s1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        // After eight rounds each letter is where it was: so nothing is moved from one to the next.
        for i in stride(from: 0, to: 64, by: 8) {
            round(a, b, c, &d, e, f, g, &h, constants[i] &+ w[i])
            round(h, a, b, &c, d, e, f, &g, constants[i &+ 1] &+ w[i &+ 1])
            round(g, h, a, &b, c, d, e, &f, constants[i &+ 2] &+ w[i &+ 2])
            round(f, g, h, &a, b, c, d, &e, constants[i &+ 3] &+ w[i &+ 3])
            round(e, f, g, &h, a, b, c, &d, constants[i &+ 4] &+ w[i &+ 4])
            round(d, e, f, &g, h, a, b, &c, constants[i &+ 5] &+ w[i &+ 5])
            round(c, d, e, &f, g, h, a, &b, constants[i &+ 6] &+ w[i &+ 6])
            round(b, c, d, &e, f, g, h, &a, constants[i &+ 7] &+ w[i &+ 7])
        }
        state[0] &+= a
        state[1] &+= b
        state[2] &+= c
        state[3] &+= d
        state[4] &+= e
        state[5] &+= f
        state[6] &+= g
        state[7] &+= h
    }

    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32, _ g: UInt32,
        _ h: inout UInt32, _ word: UInt32
    ) {
        let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
        let t1 = h &+ s1 &+ (g ^ (e & (f ^ g))) &+ word
        let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
        d &+= t1
        h = t1 &+ s0 &+ ((a & b) | (c & (a | b)))
    }

    /// The text of one word, of which eight nibbles at a time get a byte each.
    fileprivate static func digits(_ word: UInt64) -> (UInt64, UInt64) {
        (digits(UInt32(truncatingIfNeeded: word >> 32)), digits(UInt32(truncatingIfNeeded: word)))
    }
    private static func digits(_ half: UInt32) -> UInt64 {
        var nibbles = UInt64(half)
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
        // 1 in each byte that is above 9: letters begin 39 behind where the digits would go on.
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }
    fileprivate var words: InlineArray<4, UInt64> { [first, second, third, fourth] }

    private static func rotated(_ word: UInt32, _ bits: UInt32) -> UInt32 { word &>> bits | word &<< (32 &- bits) }

    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01,
        0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786,
        0x0fc1_9dc6, 0x240c_a1cc,
        0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
        0xc6e0_0bf3, 0xd5a7_9147,
        0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb,
        0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08,
        0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3, 0x748f_82ee, 0x78a5_636f,
        0x84c8_7814, 0x8cc7_0208,
        0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

extension [UInt8] {
    /// The 64 digits of `Digest.hex`, straight to where they go.
    public mutating func append(hexOf digest: Digest) {
        append(addingCapacity: 64) { output in
            let words = digest.words
            for place in 0..<4 {
                let (high, low) = Digest.digits(words[place])
                for shift in stride(from: UInt64(56), through: 0, by: -8) {
                    output.append(UInt8(truncatingIfNeeded: high &>> shift))
                }
                for shift in stride(from: UInt64(56), through: 0, by: -8) {
                    output.append(UInt8(truncatingIfNeeded: low &>> shift))
                }
            }
        }
    }
}
