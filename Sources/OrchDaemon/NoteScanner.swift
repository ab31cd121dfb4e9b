// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Reads the notes that there are of every launch, in just the form that `NoteWriter` gives them: a daemon that takes over reads
/// thousands before it answers. Nil for every other note and form, which may be right all the same.
struct NoteScanner {
    private let bytes: [UInt8]
    private var at: Int
    private let end: Int

    private init(_ bytes: [UInt8], _ place: Range<Int>) {
        self.bytes = bytes
        at = place.lowerBound
        end = place.upperBound
    }

    static func note(in bytes: [UInt8], at place: Range<Int>) -> LaunchNote? {
        var scanner = NoteScanner(bytes, place)
        guard scanner.take("["), let kind = scanner.text(), scanner.take(","), let launch = scanner.launch() else {
            return nil
        }
        let note: LaunchNote? =
            switch kind {
            case "ordered": scanner.ordered(launch)
            case "executed": scanner.executed(launch)
            case "ready": scanner.ready(launch)
            case "released": .released(launch)
            default: nil
            }
        return scanner.take("]") && scanner.at == scanner.end ? note : nil
    }

    private mutating func ordered(_ launch: LaunchID) -> LaunchNote? {
        guard take(","), let instance = instance(), take(","), let definition = digest(), take(","), let at = moment(),
            take(","), let restarts = int()
        else { return nil }
        return .ordered(launch, instance, definition: definition, at: at, restarts: Int(restarts))
    }

    private mutating func executed(_ launch: LaunchID) -> LaunchNote? {
        guard take(","), let pid = int(), take(","), let at = moment(), take(","), take("["), take("]"), take(","),
            let tracking = text()
        else { return nil }
        return .executed(launch, pid: Int32(truncatingIfNeeded: pid), at: at, ports: [], tracking: tracking)
    }

    private mutating func ready(_ launch: LaunchID) -> LaunchNote? {
        guard take(","), let at = moment() else { return nil }
        return .ready(launch, at: at)
    }

    // MARK: Parts

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < end, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func int() -> Int64? {
        let isNegative = take("-")
        let start = at
        var number: UInt64 = 0
        while at < end, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") {
            number = number &* 10 &+ UInt64(bytes[at] &- UInt8(ascii: "0"))
            at += 1
        }
        // So many digits can't have wrapped.
        guard at > start, at - start <= 19, at == start + 1 || bytes[start] != UInt8(ascii: "0") else { return nil }
        guard isNegative else { return Int64(exactly: number) }
        return number <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- number) : nil
    }

    private mutating func launch() -> LaunchID? { int().flatMap { UInt64(exactly: $0) }.map { LaunchID($0) } }

    /// Where the next string of plain ASCII is.
    private mutating func plain() -> Range<Int>? {
        guard take("\"") else { return nil }
        let start = at
        while at < end, bytes[at] != UInt8(ascii: "\"") {
            guard bytes[at] >= 0x20, bytes[at] < 0x80, bytes[at] != UInt8(ascii: "\\") else { return nil }
            at += 1
        }
        return take("\"") ? start..<at - 1 : nil
    }

    private mutating func text() -> String? { plain().map { String(decoding: bytes[$0], as: UTF8.self) } }

    private mutating func digest() -> Digest? { plain().flatMap { Digest(hex: bytes.span.extracting($0)) } }

    private mutating func instance() -> InstanceID? {
        guard take("["), let stack = text(), take(","), let name = text(), take("]") else { return nil }
        return InstanceID(stack: stack, name: name)
    }

    private mutating func moment() -> Moment? {
        guard take("["), let instant = int(), take(","), let wall = int(), take("]") else { return nil }
        return Moment(instant: Instant(nanoseconds: instant), wall: WallTime(nanoseconds: wall))
    }
}
