// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// A binary heap of (instant, slot). Entries are never removed when a deadline moves: the slot's own deadline is the truth,
/// and an entry that disagrees with it is dropped when it comes up. Push and pop are O(log n).
struct DeadlineHeap: Sendable {
    struct Entry: Sendable {
        var at: Instant
        var slot: Int
    }
    private var entries: [Entry] = []

    var first: Entry? { entries.first }
    var count: Int { entries.count }

    mutating func push(_ at: Instant, _ slot: Int) {
        entries.append(Entry(at: at, slot: slot))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.precedes(entries[child], entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let top = entries.first else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return top }
        entries[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if Self.precedes(entries[child], entries[smallest]) { smallest = child }
            }
            guard smallest != parent else { return top }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }

    /// Ties go by slot, so that the order never depends on history.
    private static func precedes(_ a: Entry, _ b: Entry) -> Bool { a.at == b.at ? a.slot < b.slot : a.at < b.at }
}
