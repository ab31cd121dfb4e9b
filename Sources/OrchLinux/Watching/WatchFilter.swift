// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Which names a watch rule is about. Patterns are those of fnmatch(3): one with a slash is held against the path below what is watched,
/// where `*` stands for slashes too; one without against each name alone.
struct WatchFilter: Sendable {
    private let include: [String]
    private let ignore: [String]

    init(_ rule: WatchRule) {
        include = rule.include
        ignore = rule.ignore + WatchRule.alwaysIgnored
    }

    /// A file, by its path below what is watched. What lies above it was entered.
    func counts(_ path: String) -> Bool { !ignores(path) && include.contains { Self.matches($0, path) } }

    /// A file, or a folder with all below it.
    func ignores(_ path: String) -> Bool { ignore.contains { Self.matches($0, path) } }

    private static func matches(_ pattern: String, _ path: String) -> Bool {
        guard !pattern.utf8.contains(47) else { return unsafe fnmatch(pattern, path, 0) == 0 }
        let name = path.utf8.lastIndex(of: 47).map { String(path[path.utf8.index(after: $0)...]) } ?? path
        return unsafe fnmatch(pattern, name, 0) == 0
    }
}
