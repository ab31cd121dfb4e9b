// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// What is to come, by its time and then in the order in which it was arranged. A binary heap: adding and taking cost O(log n).
struct Agenda<Item> {
    private struct Entry {
        var at: Instant
        var order: UInt64
        var item: Item
        func precedes(_ other: Entry) -> Bool { at == other.at ? order < other.order : at < other.at }
    }
    private var entries: [Entry] = []
    private var arranged: UInt64 = 0

    var next: Instant? { entries.first?.at }
    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ item: Item, at instant: Instant) {
        arranged += 1
        entries.append(Entry(at: instant, order: arranged, item: item))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].precedes(entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// The first thing that has come by then.
    mutating func take(until instant: Instant) -> Item? {
        guard let first = entries.first, first.at <= instant else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first.item }
        entries[0] = last
        var parent = 0
        while true {
            var smallest = parent
            let left = 2 * parent + 1
            if left < entries.count, entries[left].precedes(entries[smallest]) { smallest = left }
            if left + 1 < entries.count, entries[left + 1].precedes(entries[smallest]) { smallest = left + 1 }
            guard smallest != parent else { return first.item }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }

    /// Keeps what is asked for. O(n).
    mutating func keep(where isKept: (Item) -> Bool) {
        var kept = Agenda()
        for entry in entries.sorted(by: { $0.precedes($1) }) where isKept(entry.item) {
            kept.add(entry.item, at: entry.at)
        }
        kept.arranged = arranged
        self = kept
    }
}
