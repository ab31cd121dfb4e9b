// SPDX-License-Identifier: Apache-2.0

/// Rules on how code is written rather than what it names.
enum Shape {
    static let licence = "SPDX-License-Identifier: Apache-2.0"

    static func missingLicence(_ file: SourceFile) -> [Finding] {
        // SwiftPM wants its own line first.
        let line = file.path.hasSuffix("Package.swift") ? 1 : 0
        guard file.lines.count > line, file.lines[line].contains(licence) else {
            return [Finding(path: file.path, line: line + 1, message: "should be `// \(licence)`")]
        }
        return []
    }

    /// Public types and functions say what they are. Members whose name and type say it all may go without, and so may
    /// what a protocol demands.
    static func undocumented(_ file: SourceFile) -> [Finding] {
        guard file.isSwift, !file.isTest else { return [] }
        let head = /^public\s+(?:final\s+|indirect\s+)*(?:struct|enum|class|actor|protocol)\s+\w+/
        return file.code.enumerated().compactMap { index, line in
            guard line.has(["public"]), let match = line.firstMatch(of: head) else { return nil }
            var above = index - 1
            while above >= 0, file.lines[above].contains(/^\s*@/) { above -= 1 }
            guard above < 0 || !file.lines[above].contains(/^\s*\/\/\//) else { return nil }
            return Finding(path: file.path, line: index + 1, message: "`\(match.output)` has no `///`: what is it?")
        }
    }

    /// Links of a document that lead nowhere inside the repository.
    static func deadLinks(_ file: SourceFile, exists: (String) -> Bool) -> [Finding] {
        guard file.path.hasSuffix(".md") else { return [] }
        let folder = file.path.split(separator: "/").dropLast().map(String.init)
        return file.lines.enumerated().flatMap { index, line -> [Finding] in
            guard line.has(["]("]) else { return [] }
            return line.matches(of: /\]\(([^)#\s]+)(?:#[^)]*)?\)/).compactMap { match -> Finding? in
                let target = String(match.1)
                if target.contains("://") || target.hasPrefix("mailto:") { return nil }
                var parts = folder
                for part in target.split(separator: "/").map(String.init) where part != "." {
                    if part == ".." { _ = parts.popLast() } else { parts.append(part) }
                }
                if exists(parts.joined(separator: "/")) { return nil }
                return Finding(path: file.path, line: index + 1, message: "leads nowhere: \(target)")
            }
        }
    }
}
