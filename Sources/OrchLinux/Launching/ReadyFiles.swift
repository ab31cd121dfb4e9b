// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Where services that are ready by a newline on a descriptor (`ready.fd`) write it: a file for each launch, in the run directory. Unlike a
/// pipe it keeps what is written while no daemon lives, though nobody else holds it.
struct ReadyFiles {
    private let folder: String
    /// Made with the first launch that needs it: who needs none pays for none.
    private(set) var changes: LaunchWatches?
    private var launches: Set<LaunchID> = []

    init(folder: String) { self.folder = folder }

    /// A service has said all when it has written this much, newline or not.
    private static let longestWord = 4_096

    /// The end for the service to write to.
    mutating func open(for launch: LaunchID) throws(SystemError) -> Descriptor {
        launches.insert(launch)
        let file = try SmallFile.open(path(of: launch), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC)
        try watch(launch)
        return file
    }

    /// Goes on where a former daemon was. Whether the newline came meanwhile, or before that was noted.
    mutating func resume(_ launch: LaunchID) throws(SystemError) -> Bool {
        launches.insert(launch)
        try watch(launch)
        return hasSpoken(launch)
    }

    /// Those that have written their newline since the last time.
    func spoken() -> [LaunchID] { (changes?.changed() ?? []).filter { hasSpoken($0) } }

    /// Launches that a former daemon let write there, sorted.
    func leftovers() -> [LaunchID] {
        SmallFile.names(in: folder).compactMap { UInt64($0).map { LaunchID($0) } }.sorted()
    }

    func removeLeftover(_ launch: LaunchID) { _ = unsafe unlink(path(of: launch)) }

    /// When it is over.
    mutating func forget(_ launch: LaunchID) {
        guard launches.remove(launch) != nil else { return }
        changes?.forget(launch)
        removeLeftover(launch)
    }

    private func path(of launch: LaunchID) -> String { "\(folder)/\(launch.number)" }

    private mutating func watch(_ launch: LaunchID) throws(SystemError) {
        let watches: LaunchWatches
        if let changes { watches = changes } else { watches = try LaunchWatches() }
        changes = watches
        try watches.watch(path(of: launch), for: launch)
    }

    private func hasSpoken(_ launch: LaunchID) -> Bool {
        guard let bytes = try? SmallFile.read(path(of: launch), limit: Self.longestWord) else { return false }
        let hasSpoken = bytes.contains(10)
        // Whatever else it writes there is nobody's concern.
        if hasSpoken || bytes.count == Self.longestWord { changes?.forget(launch) }
        return hasSpoken
    }
}
