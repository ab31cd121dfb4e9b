// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchModel

/// Time zones of this host: tzfile(5) of version 2 or later (RFC 8536), from /usr/share/zoneinfo and /etc/localtime.
public enum ZoneFile {
    /// The zone of an IANA name, or that of the machine for `host`, which is UTC where nothing is set. Nil when there is none.
    public static func read(_ name: String) -> TimeZone? {
        if name == ScheduleSpec.hostZone {
            guard let bytes = try? SmallFile.read("/etc/localtime") else { return .utc }
            return zone(from: bytes)
        }
        guard ScheduleSpec.isZoneName(name) else { return nil }
        if let bytes = try? SmallFile.read("\(folder)/\(name)") { return zone(from: bytes) }
        return ["UTC", "Etc/UTC", "GMT"].contains(name) ? .utc : nil
    }

    /// Whether `read` would find it; unasked where this host has no zones at all.
    public static func isKnown(_ name: String) -> Bool { !isInstalled || read(name) != nil }

    /// Whether this host has any zones.
    static var isInstalled: Bool { unsafe access(folder, R_OK) == 0 }

    private static let folder = "/usr/share/zoneinfo"

    /// Reads the 64-bit data block and its footer; nil for anything else.
    static func zone(from bytes: [UInt8]) -> TimeZone? {
        guard let first = Header(bytes, at: 0), first.version >= 2 else { return nil }
        let start = Header.size + first.blockSize(timeSize: 4)
        guard let header = Header(bytes, at: start) else { return nil }
        let times = start + Header.size
        let kinds = times + header.timeCount * 8
        let types = kinds + header.timeCount
        let footer = times + header.blockSize(timeSize: 8)
        guard footer <= bytes.count, header.typeCount > 0 else { return nil }
        func offset(_ type: Int) -> Int64? {
            type < header.typeCount ? integer(bytes, at: types + 6 * type, size: 4) : nil
        }
        guard let initial = offset(0) else { return nil }
        var transitions: [TimeZone.Transition] = []
        for index in 0..<header.timeCount {
            guard let at = integer(bytes, at: times + 8 * index, size: 8),
                let offset = offset(Int(bytes[kinds + index]))
            else { return nil }
            transitions.append(.init(at: at, offset: offset))
        }
        let text = bytes[footer...].dropFirst().prefix { $0 != 10 }
        return TimeZone(
            initialOffset: initial, transitions: transitions,
            rule: TimeZoneRule(text: String(decoding: text, as: UTF8.self)))
    }

    /// A signed number, the highest byte first.
    private static func integer(_ bytes: [UInt8], at place: Int, size: Int) -> Int64? {
        guard place >= 0, place + size <= bytes.count else { return nil }
        var number: Int64 = Int8(bitPattern: bytes[place]) < 0 ? -1 : 0
        for byte in bytes[place..<place + size] { number = number << 8 | Int64(byte) }
        return number
    }

    private struct Header {
        static let size = 44
        let version: Int
        let timeCount, typeCount: Int
        private let nameBytes, leapCount, standardCount, utcCount: Int

        init?(_ bytes: [UInt8], at place: Int) {
            guard place >= 0, place + Self.size <= bytes.count, bytes[place..<place + 4].elementsEqual("TZif".utf8)
            else {
                return nil
            }
            let digit = Int(bytes[place + 4])
            version = digit == 0 ? 1 : digit - 48
            let counts = (0..<6).map { Int(integer(bytes, at: place + 20 + 4 * $0, size: 4) ?? -1) }
            guard counts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
            (utcCount, standardCount, leapCount) = (counts[0], counts[1], counts[2])
            (timeCount, typeCount, nameBytes) = (counts[3], counts[4], counts[5])
        }

        func blockSize(timeSize: Int) -> Int {
            timeCount * (timeSize + 1) + typeCount * 6 + nameBytes + leapCount * (timeSize + 4) + standardCount
                + utcCount
        }
    }
}
