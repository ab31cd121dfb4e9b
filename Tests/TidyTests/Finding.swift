// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A place that breaks a rule, as an editor understands it.
struct Finding: Hashable, CustomStringConvertible {
    var path: String
    /// From 1.
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// All findings of one rule as one text for a failing test; empty when there is none.
func report(_ findings: [Finding]) -> String { findings.map(\.description).joined(separator: "\n") }

extension SourceFile {
    /// A finding for each line of `lines` that matches, with what `message` makes of it. A match contains one of `words`: the
    /// quick look that spares most lines the slow one.
    func findings(
        in lines: [String], _ pattern: Regex<Substring>, words: [String], _ message: (Substring) -> String
    ) -> [Finding] {
        // Unicode's own idea of a word takes `Task.sleep` for one (UAX 29).
        let pattern = pattern.wordBoundaryKind(.simple)
        return lines.enumerated().compactMap { index, line in
            guard line.has(words) else { return nil }
            return line.firstMatch(of: pattern).map {
                Finding(path: path, line: index + 1, message: message($0.output))
            }
        }
    }
}

extension String {
    /// Whether one of the words is in it, byte for byte, by strstr(3): many times quicker than a regular expression.
    func has(_ words: [String]) -> Bool { words.contains { unsafe strstr(self, $0) != nil } }
}
