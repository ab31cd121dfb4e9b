// SPDX-License-Identifier: Apache-2.0

/// Text of the shell's language, looked at from outside.
enum ShellText {
    /// The words of a line as a shell would see them, without any expansion: quotes and backslashes are taken away. Nil when a quote is
    /// not closed.
    static func words(_ text: String) -> [String]? {
        var words: [String] = []
        var word: [UInt8] = []
        var hasWord = false
        var quote: UInt8 = 0
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case quote where quote != 0: quote = 0
            case 92 where quote != 39:
                guard at < bytes.count else { return nil }
                // In double quotes it escapes only what would mean something there.
                if quote == 34, ![34, 92, 36, 96].contains(bytes[at]) { word.append(92) }
                word.append(bytes[at])
                hasWord = true
                at += 1
            case _ where quote != 0: word.append(byte)
            case 34, 39:
                quote = byte
                hasWord = true
            case 32, 9, 10, 13:
                if hasWord { words.append(String(decoding: word, as: UTF8.self)) }
                word = []
                hasWord = false
            default:
                word.append(byte)
                hasWord = true
            }
        }
        guard quote == 0 else { return nil }
        if hasWord { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }

    /// Names in capitals that the text reads as variables and does not set itself.
    static func variables(in text: String) -> Set<String> {
        var found: Set<String> = []
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            guard bytes[at] == 36 else {
                at += 1
                continue
            }
            at += 1
            if at < bytes.count, bytes[at] == 123 { at += 1 }
            let start = at
            while at < bytes.count, isNameByte(bytes[at], first: at == start) { at += 1 }
            if at > start { found.insert(String(decoding: bytes[start..<at], as: UTF8.self)) }
        }
        return found.filter { name in
            !text.contains("\(name)=") && !name.utf8.contains { $0 >= 97 && $0 <= 122 }
        }
    }

    static func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
        (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == 95
            || (!first && byte >= 48 && byte <= 57)
    }

    /// A word as a shell has to be given it.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy {
                isNameByte($0, first: false) || [37, 43, 44, 45, 46, 47, 58, 61, 64].contains($0)
            }
        return isPlain
            ? word : "'\(word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''"))'"
    }
}

extension ShellText {
    /// Whether a text speaks of a host by this name: `//db:5432`, `user@db`, `db:5432`, or, `alone`, just `db`.
    static func isHost(_ name: String, in text: String, alone: Bool) -> Bool {
        if text == name { return alone }
        let bytes = Array(text.utf8)
        let wanted = Array(name.utf8)
        guard bytes.count > wanted.count else { return false }
        for at in 0...(bytes.count - wanted.count) where bytes[at..<(at + wanted.count)].elementsEqual(wanted) {
            let before = at > 0 ? bytes[at - 1] : 44
            let end = at + wanted.count
            let after = end < bytes.count ? bytes[end] : 44
            let isPort = after == 58 && end + 1 < bytes.count && (48...57).contains(bytes[end + 1])
            // Behind `//` and `@` a host ends with anything that is not part of a name.
            let isAuthority = before == 64 || (before == 47 && at > 1 && bytes[at - 2] == 47)
            if isAuthority, !isNameByte(after, first: false), after != 45, after != 46 { return true }
            if isPort, [32, 44, 61, 34, 39].contains(before) { return true }
        }
        return false
    }
}
