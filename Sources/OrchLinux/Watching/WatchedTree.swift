// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// What the files of one watch rule looked like when they were last looked at. What changed is always found by looking, never taken from an
/// event: an event only says where to look, so that a lost one, or none at all, costs time and nothing else.
struct WatchedTree {
    /// What tells one content of a name from another, as far as it can be seen without reading it.
    struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }
    /// What one look found.
    struct Findings {
        /// Absolute, in no order.
        var changed: [String] = []
        var gone: [String] = []
        /// There was no room for all of it.
        var isCut = false
    }

    let root: String
    /// The one name that counts, when the rule is about a file.
    private let only: String?
    private let filter: WatchFilter
    private var folders: [String: Folder] = [:]
    /// Files and folders.
    private var count = 0

    private struct Folder {
        var files: [String: Stamp] = [:]
        /// Absolute.
        var inner: [String] = []
    }

    /// Nil when there is nothing of that name, or it can't be looked at. Empty until `enter`.
    init?(_ rule: WatchRule) {
        var facts = stat()
        guard unsafe stat(rule.path, &facts) == 0 else { return nil }
        filter = WatchFilter(rule)
        if facts.st_mode & S_IFMT == S_IFDIR {
            (root, only) = (rule.path, nil)
        } else {
            let slash = rule.path.utf8.lastIndex(of: 47) ?? rule.path.startIndex
            root = slash == rule.path.startIndex ? "/" : String(rule.path[..<slash])
            only = String(rule.path[rule.path.utf8.index(after: slash)...])
        }
    }

    var paths: [String] { Array(folders.keys) }

    /// Whether an event about this name is worth a look.
    func mayCount(_ name: String, in folder: String) -> Bool {
        // A rule about a file follows links, and what they lead through has other names.
        only != nil || name.isEmpty || !filter.ignores(below(join(folder, name)))
    }

    /// Looks into all that is there; `entering` comes before each folder is read.
    mutating func enter(_ entering: (String) -> Void) -> Findings {
        var findings = Findings()
        enter(root, &findings, entering)
        return findings
    }

    /// Looks again into a folder that was entered, and into those below it that are new.
    mutating func look(at folder: String, _ entering: (String) -> Void) -> Findings {
        var findings = Findings()
        guard let former = folders[folder] else { return findings }
        guard let found = read(folder) else {
            drop(folder, &findings)
            return findings
        }
        for (name, stamp) in found.files where former.files[name] != stamp {
            findings.changed.append(join(folder, name))
        }
        for name in former.files.keys where found.files[name] == nil { findings.changed.append(join(folder, name)) }
        keep(found, at: folder)
        let there = Set(found.inner)
        for path in former.inner where !there.contains(path) { drop(path, &findings) }
        for path in found.inner where folders[path] == nil { enter(path, &findings, entering) }
        return findings
    }

    private mutating func enter(_ folder: String, _ findings: inout Findings, _ entering: (String) -> Void) {
        var work = [folder]
        while let next = work.popLast() {
            guard count < Limits.watchedFiles else {
                findings.isCut = true
                return
            }
            entering(next)
            guard let found = read(next) else { continue }
            keep(found, at: next)
            findings.changed += found.files.keys.map { join(next, $0) }
            work += found.inner
        }
    }

    /// With everything below it.
    private mutating func drop(_ folder: String, _ findings: inout Findings) {
        var work = [folder]
        while let next = work.popLast() {
            guard let former = folders.removeValue(forKey: next) else { continue }
            count -= former.files.count + 1
            findings.gone.append(next)
            findings.changed += former.files.keys.map { join(next, $0) }
            work += former.inner
        }
    }

    private mutating func keep(_ found: Folder, at path: String) {
        let former = folders.updateValue(found, forKey: path)
        count += found.files.count - (former?.files.count ?? -1)
    }

    /// The files in it that count, and the folders to be entered; nil when it is none any more.
    private func read(_ folder: String) -> Folder? {
        var found = Folder()
        if let only {
            var facts = stat()
            guard unsafe stat(folder, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else { return nil }
            if unsafe stat(join(folder, only), &facts) == 0 { found.files[only] = Stamp(facts) }
            return found
        }
        guard let names = SmallFile.entries(of: folder) else { return nil }
        for name in names {
            let path = join(folder, name)
            var facts = stat()
            guard !filter.ignores(below(path)), unsafe lstat(path, &facts) == 0 else { continue }
            if facts.st_mode & S_IFMT == S_IFDIR {
                found.inner.append(path)
            } else if filter.counts(below(path)) {
                // A link counts as what it leads to; a folder behind one is not entered, as it may lead back.
                if facts.st_mode & S_IFMT == S_IFLNK { _ = unsafe stat(path, &facts) }
                found.files[name] = Stamp(facts)
            }
        }
        return found
    }

    private func join(_ folder: String, _ name: String) -> String {
        folder == "/" ? "/" + name : "\(folder)/\(name)"
    }

    private func below(_ path: String) -> String {
        String(path.utf8.dropFirst(root == "/" ? 1 : root.utf8.count + 1)) ?? path
    }
}

extension WatchedTree.Stamp {
    init(_ facts: stat) {
        self.init(
            inode: UInt64(facts.st_ino), size: Int64(facts.st_size), seconds: facts.st_mtim.tv_sec,
            nanoseconds: facts.st_mtim.tv_nsec)
    }
}
