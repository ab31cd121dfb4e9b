// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One file of the repository and what it says.
struct SourceFile {
    /// From the top of the repository, e.g. `Sources/OrchModel/Limits.swift`.
    var path: String
    var lines: [String]
    /// The lines with comments and the inside of string literals blanked out, so that rules see code only. Swift and C.
    var code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        code = CodeScanner.blank(text).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }
    var isTest: Bool { path.hasPrefix("Tests/") }
    /// The target that it belongs to; nil outside `Sources` and `Tests`.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && ["Sources", "Tests"].contains(parts[0]) ? String(parts[1]) : nil
    }
}

/// The repository that these tests were built from.
enum SourceTree {
    /// Its top folder.
    static let root: String = String(#filePath.dropLast("/Tests/TidyTests/SourceTree.swift".count))

    /// Every Swift and C file, sorted by path.
    static let sources: [SourceFile] = files(ending: [".swift", ".c", ".h"])

    /// Everything that people read, and the sources.
    static let texts: [SourceFile] = files(ending: [
        ".swift", ".c", ".h", ".md", ".yaml", ".yml", ".sh", ".py", ".json", ".html", ".svg", "Makefile", ".ci/run",
        "setup",
    ])

    static func files(ending suffixes: [String]) -> [SourceFile] {
        var found: [SourceFile] = []
        for path in paths() where suffixes.contains(where: { path.hasSuffix($0) }) {
            if let text = read(path) { found.append(SourceFile(path: path, text: text)) }
        }
        return found
    }

    /// Every file that is not a product, sorted.
    static func paths() -> [String] {
        var found: [String] = []
        var folders = [""]
        while let folder = folders.popLast() {
            for (name, isFolder) in entries(of: folder) {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                if name == ".git" || name == ".venv" || name == "__pycache__" || name.hasPrefix(".build") { continue }
                if isFolder { folders.append(path) } else { found.append(path) }
            }
        }
        return found.sorted()
    }

    static func exists(_ path: String) -> Bool { unsafe access("\(root)/\(path)", F_OK) == 0 }

    static func read(_ path: String) -> String? {
        guard let file = unsafe fopen("\(root)/\(path)", "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func entries(of folder: String) -> [(name: String, isFolder: Bool)] {
        guard let directory = unsafe opendir(folder.isEmpty ? root : "\(root)/\(folder)") else { return [] }
        defer { unsafe closedir(directory) }
        var found: [(String, Bool)] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: Array(bytes).prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { found.append((name, unsafe Int(entry.pointee.d_type) == Int(DT_DIR))) }
        }
        return found
    }
}
