// SPDX-License-Identifier: Apache-2.0

/// Paths as text: nothing here asks the file system.
enum LexicalPath {
    /// `path` seen from the absolute `folder`, without `.`, `..` and doubled slashes.
    static func absolute(_ path: String, from folder: String) -> String {
        normalised(path.utf8.first == 47 ? path : "\(folder)/\(path)")
    }

    /// As `absolute`, but fit for showing: relative stays relative.
    static func joined(_ path: String, to folder: String) -> String {
        if path.utf8.first == 47 || folder.isEmpty { return path }
        let short = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return folder == "/" ? "/\(short)" : "\(folder)/\(short)"
    }

    /// Everything before the last slash: "" for a bare name, "/" for what is in the root.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 47) else { return "" }
        return slash == path.utf8.startIndex ? "/" : String(path[..<slash])
    }

    /// Everything after the last slash.
    static func lastPart(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 47) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    private static func normalised(_ path: String) -> String {
        let bytes = path.utf8
        if !needsWork(bytes) { return path }
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            if part == "." { continue }
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func needsWork(_ bytes: String.UTF8View) -> Bool {
        var last: UInt8 = 0
        for byte in bytes {
            if last == 47, byte == 47 || byte == 46 { return true }
            last = byte
        }
        return last == 47
    }
}
