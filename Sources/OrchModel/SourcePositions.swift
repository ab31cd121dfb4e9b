// SPDX-License-Identifier: Apache-2.0

/// Where one thing of the stack stands in the manifest.
public struct SourcePosition: Equatable, Sendable {
    /// `web`, `web.restart`, `web.restart.delay`.
    public var path: String
    public var position: Position
    public init(path: String, position: Position) {
        self.path = path
        self.position = position
    }
}

/// Where all things of the stack stand in the manifest. A large stack has thousands of them, which every start of the daemon reads and
/// seldom anybody asks for: so they are one text, which is searched as it lies.
public struct SourcePositions: Equatable, Sendable {
    private var files: [String] = []
    /// `web.restart 14 5 0|`: path, line, column and the place in `files`, in the order of the paths' bytes.
    private var places = ""

    private static let bar = UInt8(ascii: "|")
    private static let space = UInt8(ascii: " ")

    public init() {}

    /// In any order. A path that has a bar in it is left out: what it is in stands for it. O(n log n), O(n) where they are in order.
    public init(_ positions: [SourcePosition]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(positions.count * 32)
        for entry in positions.sorted(by: { Self.precedes($0.path.utf8.span, $1.path.utf8.span) })
        where !entry.path.utf8.contains(Self.bar) {
            let position = entry.position
            let file = files.lastIndex(of: position.file) ?? files.count
            if file == files.count { files.append(position.file) }
            bytes.append(contentsOf: entry.path.utf8)
            for number in [position.line, position.column, file] {
                bytes.append(Self.space)
                bytes.append(decimal: UInt64(clamping: number))
            }
            bytes.append(Self.bar)
        }
        places = String(decoding: bytes, as: UTF8.self)
    }

    public var isEmpty: Bool { places.isEmpty }

    /// All of them, in order. O(n)
    public var all: [SourcePosition] {
        places.utf8.split(separator: Self.bar).compactMap { entry in
            let text = Array(entry)
            guard let end = Self.pathEnd(text.span), let position = position(text.span.extracting(end...)) else {
                return nil
            }
            return SourcePosition(path: String(decoding: text[..<end], as: UTF8.self), position: position)
        }
    }

    /// Nil where the manifest does not have it. O(log n)
    public func position(of path: String) -> Position? {
        let wanted = path.utf8.span
        let places = places.utf8.span
        var low = 0
        var high = places.count
        while low < high {
            var start = (low + high) / 2
            while start > low, places[start - 1] != Self.bar { start -= 1 }
            var end = start
            while end < high, places[end] != Self.bar { end += 1 }
            let entry = places.extracting(start..<end)
            guard let pathEnd = Self.pathEnd(entry) else { return nil }
            let found = entry.extracting(..<pathEnd)
            if Self.precedes(found, wanted) {
                low = end + 1
            } else if Self.precedes(wanted, found) {
                high = start
            } else {
                return position(entry.extracting(pathEnd...))
            }
        }
        return nil
    }

    /// Of what is there, or of what it would be in: for `web.restart.delay` that of `web.restart`, else of `web`.
    public func nearest(to path: String) -> Position? {
        var path = path
        while true {
            if let found = position(of: path) { return found }
            guard let dot = path.lastIndex(of: ".") else { return nil }
            path = String(path[..<dot])
        }
    }

    /// Where the numbers begin of what stands between two bars. Nil for what is none of ours: it may come from anybody.
    private static func pathEnd(_ entry: Span<UInt8>) -> Int? {
        var spaces = 0
        var place = entry.count
        while place > 0, spaces < 3 {
            place -= 1
            if entry[place] == space { spaces += 1 }
        }
        return spaces == 3 ? place : nil
    }

    /// ` 14 5 0`
    private func position(_ numbers: Span<UInt8>) -> Position? {
        var values = InlineArray<3, Int>(repeating: 0)
        var which = -1
        for place in numbers.indices {
            let byte = numbers[place]
            if byte == Self.space {
                which += 1
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), values[which] < 1 << 32 else { return nil }
            values[which] = values[which] * 10 + Int(byte - UInt8(ascii: "0"))
        }
        guard files.indices.contains(values[2]) else { return nil }
        return Position(file: files[values[2]], line: values[0], column: values[1])
    }

    private static func precedes(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        let shared = min(one.count, other.count)
        for place in 0..<shared where one[place] != other[place] { return one[place] < other[place] }
        return one.count < other.count
    }
}

extension SourcePositions: ValueCodable {
    public var value: Value { ["files": .strings(files), "places": .string(places)] }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        files = try r.strings("files")
        places = try r.string("places")
    }
}

extension ObjectReader {
    /// `places`; or `positions`, the list that former releases wrote: `[["web", ["orch.yaml", 3, 3]]]`.
    public func sourcePositions() throws(ShapeError) -> SourcePositions {
        if let places: SourcePositions = try optional("places") { return places }
        var found: [SourcePosition] = []
        for entry in value("positions")?.array ?? [] {
            guard let parts = entry.array, parts.count == 2, let path = parts[0].string else {
                throw ShapeError(path: "positions", expected: "a path and a position")
            }
            found.append(SourcePosition(path: path, position: try Position(parts[1])))
        }
        return SourcePositions(found)
    }
}
