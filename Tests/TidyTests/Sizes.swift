// SPDX-License-Identifier: Apache-2.0

/// How long things may be.
enum Sizes {
    static let file = 400
    static let testFile = 800
    static let function = 70
    /// Files that may be longer, how long, and why.
    static let longFiles: [(path: String, limit: Int, reason: String)] = [
        ("Sources/OrchManifest/Fields.swift", 600, "one table of keys")
    ]

    /// Folders that must stay small as a whole, how small, and why.
    static let smallFolders: [(path: String, limit: Int, reason: String)] = [
        ("Sources/orch-keeper/", 900, "it must never die, so people read all of it")
    ]

    static func overlongFolders(_ files: [SourceFile]) -> [Finding] {
        smallFolders.compactMap { folder in
            let total = files.filter { $0.path.hasPrefix(folder.path) }.reduce(0) { $0 + $1.lines.count }
            guard total > folder.limit || total == 0 else { return nil }
            return Finding(
                path: folder.path, line: 1,
                message: "\(total) lines in all; at most \(folder.limit): \(folder.reason)")
        }
    }

    static func overlongFile(_ file: SourceFile) -> [Finding] {
        let limit = longFiles.first { $0.path == file.path }?.limit ?? (file.isTest ? testFile : Sizes.file)
        guard file.lines.count > limit else { return [] }
        return [
            Finding(
                path: file.path, line: limit + 1,
                message: "\(file.lines.count) lines; at most \(limit): split it by idea")
        ]
    }

    static func overlongFunctions(_ file: SourceFile) -> [Finding] {
        functions(in: file).compactMap { name, line, length in
            guard length > function else { return nil }
            return Finding(path: file.path, line: line, message: "\(name) has \(length) lines; at most \(function)")
        }
    }

    /// Each function with its first line and length, from its head to the brace that closes it.
    static func functions(in file: SourceFile) -> [(name: String, line: Int, length: Int)] {
        var found: [(String, Int, Int)] = []
        for (index, line) in file.code.enumerated() {
            guard let name = file.isC ? headInC(file.code, index) : headInSwift(line) else { continue }
            if let end = end(ofBodyFrom: index, in: file.code) { found.append((name, index + 1, end - index + 1)) }
        }
        return found
    }

    private static func headInSwift(_ line: String) -> String? {
        guard line.has(["func", "init", "subscript"]) else { return nil }
        if let match = line.firstMatch(of: /(?:^|\s)func\s+([\w`]+|[^\s\w(]+)\s*[(<]/) { return String(match.1) }
        return line.firstMatch(of: /^\s*(?:@\w+\s+)*(?:[a-z]+\s+)*(init|deinit|subscript)\b\s*[?(<{]/).map {
            String($0.1)
        }
    }

    /// In C a definition begins in the first column and its body with a brace of its own or at the end of the head.
    private static func headInC(_ code: [String], _ index: Int) -> String? {
        guard code[index].has(["("]), let match = code[index].firstMatch(of: /^[A-Za-z_][\w\s*]*?\b(\w+)\s*\(/) else {
            return nil
        }
        for line in code[index...].prefix(8) {
            if line.contains(";") { return nil }
            if line.contains("{") { return String(match.1) }
        }
        return nil
    }

    /// The index of the line with the brace that closes the first one from `first` on. Nil when there is no body, as in a protocol.
    private static func end(ofBodyFrom first: Int, in code: [String]) -> Int? {
        var braces = 0
        var parentheses = 0
        for index in first..<code.count {
            if index > first, braces == 0, parentheses == 0, headInSwift(code[index]) != nil { return nil }
            for character in code[index].utf8 {
                switch character {
                case UInt8(ascii: "("): parentheses += 1
                case UInt8(ascii: ")"): parentheses -= 1
                case UInt8(ascii: "{"): braces += 1
                case UInt8(ascii: "}"):
                    braces -= 1
                    if braces == 0, parentheses == 0 { return index }
                    if braces < 0 { return nil }
                default: break
                }
            }
        }
        return nil
    }
}
