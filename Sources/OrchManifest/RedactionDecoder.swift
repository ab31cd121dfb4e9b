// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Regular expressions that are compiled later, and again and again: those that can't be, or that would cost too much, are found here.
extension Decoder {
    /// `logging.redact`.
    func redactions(_ node: NodeID) -> [String] {
        guard let items = items(node, "redact", of: "regular expressions") else { return [] }
        if items.count > Limits.redactions {
            error(
                "limit", "\"redact\" has \(items.count) patterns; the limit is \(Limits.redactions)",
                at: items[Limits.redactions], help: "join some of them: (password|token)=[^ ]+")
        }
        return items.prefix(Limits.redactions).compactMap { pattern($0, "redact") }
    }

    /// A POSIX extended regular expression; nil after having said what is wrong with it.
    func pattern(_ node: NodeID, _ key: String) -> String? {
        guard let text = text(node, key) else { return nil }
        if text.isEmpty {
            error(
                "value", "\"\(key)\" has an empty pattern, which would match everywhere", at: node,
                help: "remove it, or write what is meant, such as (password|token)=[^ ]+")
            return nil
        }
        guard text.utf8.count <= Limits.patternBytes else {
            error(
                "limit", "\"\(key)\" has a pattern of \(text.utf8.count) bytes; the limit is \(Limits.patternBytes)",
                at: node, help: "make several patterns of it, or a simpler one")
            return nil
        }
        let cost = PatternCost(text)
        if cost.size > Limits.patternSize {
            error(
                "limit", "\"\(key)\": \"\(text)\" repeats too much: its size is more than \(Limits.patternSize)",
                at: node,
                help: "a repetition counts as often as it is written out: use + or * for long ones")
            return nil
        }
        if cost.hasBackReference {
            error(
                "value", "\"\(key)\": \"\(text)\" has a back-reference, which can take for ever to match", at: node,
                help: "write out what is repeated; a backslash itself is \\\\")
            return nil
        }
        if let flaw = input.patternFlaw?(text) {
            error(
                "value", "\"\(key)\": \"\(text)\" is no regular expression: \(flaw)", at: node,
                help: "it is a POSIX extended one, see regex(7); in YAML single quotes leave backslashes alone")
            return nil
        }
        return text
    }
}
