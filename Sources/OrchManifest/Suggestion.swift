// SPDX-License-Identifier: Apache-2.0

/// The known word that a mistyped one is nearest to.
enum Suggestion {
    /// The nearest of `words` by edits; nil when none is near. Words that stand first win ties.
    static func nearest(to word: String, among words: [String]) -> String? {
        let typed = Array(word.lowercased().utf8)
        guard !typed.isEmpty, typed.count <= 64 else { return nil }
        let bound = typed.count <= 3 ? 1 : typed.count <= 7 ? 2 : 3
        var best: (word: String, distance: Int)?
        for candidate in words where abs(candidate.utf8.count - typed.count) <= bound {
            let found = distance(typed, Array(candidate.lowercased().utf8))
            if found <= bound, found < best?.distance ?? .max { best = (candidate, found) }
        }
        return best?.word
    }

    /// `did you mean "restart"?`, if one is near.
    static func help(for word: String, among words: [String]) -> String? {
        nearest(to: word, among: words).map { "did you mean \"\($0)\"?" }
    }

    /// Insertions, deletions, substitutions and swaps of neighbours between two words: the optimal string alignment form of the
    /// Damerau-Levenshtein distance. O(a × b).
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var twoAgo = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, twoAgo[j - 1] + 1) }
                row.append(cost)
            }
            twoAgo = last
            last = row
        }
        return last[b.count]
    }
}
