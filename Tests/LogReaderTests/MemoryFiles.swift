// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire

/// Log files in memory, written as the pump writes them.
final class MemoryFiles: LogFiles {
    private final class File {
        var bytes: [UInt8] = []
        let inode: UInt64
        init(inode: UInt64) { self.inode = inode }
    }
    private var named: [String: File] = [:]
    private var opened: [Int32: File] = [:]
    private var last: UInt64 = 0
    /// How much was asked for.
    private(set) var bytesRead = 0
    var openCount: Int { opened.count }
    /// What somebody does meanwhile, each time that more than an index's header is read.
    var meanwhile: () -> Void = {}
    /// What somebody does as soon as a file of that path is open.
    var whenOpened: (_ path: String) -> Void = { _ in }

    private func file(_ path: String) -> File {
        if let known = named[path] { return known }
        last += 1
        let made = File(inode: last)
        named[path] = made
        return made
    }

    /// Appends `text` to the log at `path`, seen at `second` by the clock.
    func append(
        _ path: String, _ text: String, second: Double? = nil, launch: UInt64 = 1, stream: LogStreamKind? = .stdout
    ) {
        let log = file(path)
        if let second {
            let (folder, name) = LogLayout.split(path)
            let index = file(LogLayout.join(folder, LogLayout.index(of: name)))
            if index.bytes.isEmpty { index.bytes = LogIndex.header(inode: log.inode) }
            index.bytes += LogIndex.encode(
                LogIndex.Entry(
                    offset: Int64(log.bytes.count), time: time(second), launch: LaunchID(launch), stream: stream))
        }
        log.bytes += Array(text.utf8)
    }

    func rotate(_ path: String, _ number: Int) {
        let (folder, name) = LogLayout.split(path)
        named[LogLayout.segment(path, number)] = named.removeValue(forKey: path)
        let index = LogLayout.join(folder, LogLayout.index(of: name))
        named[LogLayout.join(folder, LogLayout.index(of: LogLayout.segment(name, number)))] = named.removeValue(
            forKey: index)
        _ = file(path)
    }

    func remove(_ path: String) { named[path] = nil }

    /// As if it took no space: the same bytes in another file, with an index of its own; neither is there twice.
    func compress(_ segment: String) {
        let (folder, name) = LogLayout.split(segment)
        let index = LogLayout.join(folder, LogLayout.index(of: name))
        guard let plain = named.removeValue(forKey: segment), let entries = named.removeValue(forKey: index) else {
            return
        }
        let packed = file(LogLayout.compressed(segment))
        packed.bytes = plain.bytes
        let itsIndex = file(LogLayout.join(folder, LogLayout.index(of: LogLayout.compressed(name))))
        itsIndex.bytes = LogIndex.header(inode: packed.inode) + entries.bytes[LogIndex.headerBytes...]
    }

    func names(in folder: String) -> [String] {
        named.keys.filter { LogLayout.split($0).folder == folder }.map { LogLayout.split($0).name }.sorted()
    }
    func inode(of path: String) -> UInt64? { named[path]?.inode }
    func open(_ path: String) -> OpenLog? {
        guard let file = named[path] ?? named[LogLayout.compressed(path)] else { return nil }
        defer { whenOpened(path) }
        let handle = (opened.keys.max() ?? 0) + 1
        opened[handle] = file
        return OpenLog(handle: handle, inode: file.inode)
    }
    func size(of file: OpenLog) -> Int64 { Int64(opened[file.handle]?.bytes.count ?? 0) }
    func read(_ file: OpenLog, at offset: Int64, count: Int) -> [UInt8] {
        guard let bytes = opened[file.handle]?.bytes, offset < bytes.count else { return [] }
        let range = Int(offset)..<min(bytes.count, Int(offset) + count)
        bytesRead += range.count
        defer { if count > LogIndex.headerBytes { meanwhile() } }
        return Array(bytes[range])
    }
    func close(_ file: OpenLog) { opened[file.handle] = nil }
}

/// So many seconds after a moment in 2026.
func time(_ second: Double) -> WallTime { WallTime(nanoseconds: 1_770_000_000_000_000_000 + Int64(second * 1e9)) }
