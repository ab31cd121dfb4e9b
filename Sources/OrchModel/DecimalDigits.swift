// SPDX-License-Identifier: Apache-2.0

/// Numbers in decimal digits, as ASCII: written for every note, reply and digest, so straight to where they go.
extension [UInt8] {
    /// `width`: at least so many digits, with zeros in front; up to 20.
    public mutating func append(decimal number: UInt64, width: Int = 1) {
        if number < 10, width <= 1 { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var first = 20
        var rest = number
        while rest > 0 {
            first -= 1
            digits[first] += UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        first = Swift.min(first, 20 - width)
        append(addingCapacity: 20 - first) { output in
            for place in first..<20 { output.append(digits[place]) }
        }
    }

    /// A number, which counts as 0 where it is negative, and what stands behind it.
    mutating func append(_ number: Int, width: Int, _ mark: Unicode.Scalar? = nil) {
        append(decimal: UInt64(clamping: number), width: width)
        if let mark { append(UInt8(truncatingIfNeeded: mark.value)) }
    }
}
