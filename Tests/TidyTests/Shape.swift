// SPDX-License-Identifier: Apache-2.0

/// Rules on how code is written rather than what it names.
enum Shape {
    static let licence = "SPDX-License-Identifier: Apache-2.0"
    /// Modules in which every switch over an enumeration of ours lists all its cases.
    static let modulesWithFullSwitches = ["OrchModel", "OrchEngine", "OrchDaemon"]

    static func missingLicence(_ file: SourceFile) -> [Finding] {
        // SwiftPM wants its own line first.
        let line = file.path == "Package.swift" ? 1 : 0
        guard file.lines.count > line, file.lines[line].contains(licence) else {
            return [Finding(path: file.path, line: line + 1, message: "should be `// \(licence)`")]
        }
        return []
    }

    /// Switches that may have a `default`, how many in a file, and why.
    static let reasonedDefaults: [(path: String, count: Int, reason: String)] = [
        ("Sources/OrchModel/FieldDifference.swift", 1, "pairs of values: all but four of the combinations are one")
    ]

    /// A `default` beside cases that begin with a dot hides the case that somebody adds next year.
    static func defaults(_ file: SourceFile) -> [Finding] {
        guard file.isSwift, let module = file.module, modulesWithFullSwitches.contains(module) else { return [] }
        let allowed = reasonedDefaults.first { $0.path == file.path }?.count ?? 0
        return Array(defaultsOverEnumerations(file).dropFirst(allowed))
    }

    static func defaultsOverEnumerations(_ file: SourceFile) -> [Finding] {
        struct Switch { var indent: Int, isOverEnumeration: Bool }
        var open: [Switch] = []
        var found: [Finding] = []
        for (index, line) in file.code.enumerated() {
            let indent = line.prefix { $0 == " " }.count
            let text = line.dropFirst(indent)
            if text.hasPrefix("}"), let last = open.last, last.indent == indent { open.removeLast() }
            guard line.has(["switch", "case", "default:"]) else { continue }
            if line.contains(/\bswitch\b.*\{\s*$/) {
                open.append(Switch(indent: indent, isOverEnumeration: false))
            } else if let last = open.indices.last {
                if text.contains(/^case\s+(?:let\s+)?\(?\s*(?:let\s+)?\.[a-z]/) { open[last].isOverEnumeration = true }
                if text.hasPrefix("default:"), open[last].isOverEnumeration {
                    found.append(
                        Finding(
                            path: file.path, line: index + 1,
                            message: "`default` in a switch over an enumeration: list the cases"))
                }
            }
        }
        return found
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
