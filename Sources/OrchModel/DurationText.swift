// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// Reads `250ms`, `5s`, `1m30s`, `2h`, `7d`, `1.5s`: numbers with units, the larger unit first, each at most once.
    /// A bare number, a sign, or anything beyond `Limits.longestDuration` gives nil.
    public init?(text: String) {
        let bytes = text.utf8.span
        guard !bytes.isEmpty else { return nil }
        var total: Int64 = 0
        var lastUnit = Int.max
        var at = 0
        while at < bytes.count {
            let start = at
            while at < bytes.count, Self.isDigit(bytes[at]) || bytes[at] == Self.point { at += 1 }
            guard at > start, bytes[start] != Self.point, bytes[at - 1] != Self.point else { return nil }
            let number = bytes.extracting(start..<at)
            let end = at
            while at < bytes.count, !Self.isDigit(bytes[at]) { at += 1 }
            guard let rank = Self.rank(bytes.extracting(end..<at)), rank < lastUnit else { return nil }
            lastUnit = rank
            guard let nanos = Self.scaled(number, by: Self.size(rank)) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(nanos)
            guard !overflow else { return nil }
            total = sum
        }
        let span = Duration.nanoseconds(total)
        guard span <= Limits.longestDuration else { return nil }
        self = span
    }

    private static let point = UInt8(ascii: ".")
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    // Units by rank, from the smallest. Not a table: these are asked for every duration of every manifest.
    private static let largest = 6

    private static func size(_ rank: Int) -> Int64 {
        switch rank {
        case 0: 1
        case 1: 1_000
        case 2: 1_000_000
        case 3: 1_000_000_000
        case 4: 60_000_000_000
        case 5: 3_600_000_000_000
        default: 86_400_000_000_000
        }
    }

    private static func appendName(_ rank: Int, to text: inout [UInt8]) {
        switch rank {
        case 0: text.append(UInt8(ascii: "n"))
        case 1: text.append(UInt8(ascii: "u"))
        case 2, 4: text.append(UInt8(ascii: "m"))
        case 5: text.append(UInt8(ascii: "h"))
        case 6: text.append(UInt8(ascii: "d"))
        default: break
        }
        if rank < 4 { text.append(UInt8(ascii: "s")) }
    }

    private static func rank(_ name: Span<UInt8>) -> Int? {
        if name.count == 1 {
            switch name[0] {
            case UInt8(ascii: "s"): return 3
            case UInt8(ascii: "m"): return 4
            case UInt8(ascii: "h"): return 5
            case UInt8(ascii: "d"): return 6
            default: return nil
            }
        }
        guard name.count == 2, name[1] == UInt8(ascii: "s") else { return nil }
        switch name[0] {
        case UInt8(ascii: "n"): return 0
        case UInt8(ascii: "u"): return 1
        case UInt8(ascii: "m"): return 2
        default: return nil
        }
    }

    /// Decimal digits with at most one point, times a unit, exactly; nil on overflow.
    private static func scaled(_ number: Span<UInt8>, by unit: Int64) -> Int64? {
        var whole: Int64 = 0
        var fraction: Int64 = 0
        var place: Int64?
        for index in number.indices {
            let byte = number[index]
            if byte == point {
                guard place == nil else { return nil }
                place = unit
                continue
            }
            let worth = Int64(byte - UInt8(ascii: "0"))
            if let above = place {
                place = above / 10
                fraction += worth * (above / 10)
            } else {
                let (tens, isTooMany) = whole.multipliedReportingOverflow(by: 10)
                let (sum, isTooMuch) = tens.addingReportingOverflow(worth)
                guard !isTooMany, !isTooMuch else { return nil }
                whole = sum
            }
        }
        let (nanos, overflow) = whole.multipliedReportingOverflow(by: unit)
        let (sum, carried) = nanos.addingReportingOverflow(fraction)
        return overflow || carried ? nil : sum
    }

    /// The shortest text that reads back as the same duration: `1m30s`, `250ms`, `0s`.
    public var text: String {
        var rest = nanoseconds
        if rest == 0 { return "0s" }
        if rest < 0 { return "-" + Duration.nanoseconds(-rest).text }
        var result: [UInt8] = []
        result.reserveCapacity(24)
        var rank = Self.largest
        while rest > 0 {
            let size = Self.size(rank)
            if rest >= size {
                result.append(decimal: UInt64(rest / size))
                Self.appendName(rank, to: &result)
                rest %= size
            }
            rank -= 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// For people: two digits of what matters, `1.4s`, `3m12s`, `5d2h`.
    public var brief: String {
        let nanos = max(0, nanoseconds)
        switch nanos {
        case ..<1_000_000: return "\(nanos / 1_000)us"
        case ..<1_000_000_000: return "\(nanos / 1_000_000)ms"
        case ..<10_000_000_000:
            let tenths = nanos / 100_000_000
            return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
        case ..<60_000_000_000: return "\(nanos / 1_000_000_000)s"
        case ..<3_600_000_000_000: return "\(nanos / 60_000_000_000)m\(nanos / 1_000_000_000 % 60)s"
        case ..<86_400_000_000_000: return "\(nanos / 3_600_000_000_000)h\(nanos / 60_000_000_000 % 60)m"
        default: return "\(nanos / 86_400_000_000_000)d\(nanos / 3_600_000_000_000 % 24)h"
        }
    }
}

/// Amounts of bytes as people write them.
public enum SizeText {
    private static let units: [(name: Substring, bytes: Int64)] = [
        ("B", 1), ("kB", 1_000), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
    ]

    /// Reads `512B`, `10MB` (10^6), `10MiB` (2^20). A bare number gives nil.
    public static func parse(_ text: String) -> Int64? {
        let number = text.prefix { $0.isASCII && $0.isNumber }
        guard !number.isEmpty, let count = Int64(number),
            let unit = units.first(where: { $0.name == text.dropFirst(number.count) })
        else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit.bytes)
        return overflow ? nil : bytes
    }

    /// Rounded, for people: `612 MB`, `1.5 GB`.
    public static func brief(_ bytes: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB"]
        var value = Double(max(0, bytes))
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1_000
            unit += 1
        }
        if unit == 0 || value >= 9.95 { return "\(Int(value.rounded())) \(units[unit])" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// The text of the largest unit that gives a whole number.
    public static func format(_ bytes: Int64) -> String {
        for (name, size) in [
            ("TB", 1_000_000_000_000), ("TiB", 1 << 40), ("GB", 1_000_000_000), ("GiB", 1 << 30), ("MB", 1_000_000),
            ("MiB", 1 << 20), ("kB", 1_000), ("KiB", 1 << 10),
        ] as [(String, Int64)] where bytes >= size && bytes % size == 0 {
            return "\(bytes / size)\(name)"
        }
        return "\(bytes)B"
    }
}
