// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The time index of one log file, read piece by piece: O(log n) for any place, O(1) for the next one.
struct LogTimes {
    private let files: any LogFiles
    private let folder: String
    /// Of the log, and of the file of it that this is the index of.
    private let name: String
    private let itsName: String
    private let inode: UInt64
    private var file: OpenLog?
    private var count = 0
    private var place = 0
    private var block: [UInt8] = []
    private var blockStart = 0
    private static let blockEntries = 512

    /// The index of the file of that inode, which is the log `name` or its segment `itsName`.
    init(_ files: any LogFiles, folder: String, name: String, itsName: String, inode: UInt64) {
        self.files = files
        self.folder = folder
        self.name = name
        self.itsName = itsName
        self.inode = inode
        refresh()
    }

    /// A rotation renames and creates the file before its index, so the index may come later, but before the file's first byte; and it
    /// may go on to the name of a segment, but then the file has gone there before.
    private mutating func find() {
        if open(name) { return }
        if itsName != name, open(itsName) || open(LogLayout.compressed(itsName)) { return }
        let segments = LogLayout.segments(of: name, among: files.names(in: folder)).map { LogLayout.segment(name, $0) }
        if let its = segments.last(where: { files.inode(of: LogLayout.join(folder, $0)) == inode }) { _ = open(its) }
    }

    /// Opens the index of the file of that name; false when it is not there or belongs to another.
    private mutating func open(_ name: String) -> Bool {
        guard let opened = files.open(LogLayout.join(folder, LogLayout.index(of: name))) else { return false }
        if LogIndex.inode(ofHeader: files.read(opened, at: 0, count: LogIndex.headerBytes)) == inode {
            file = opened
            return true
        }
        files.close(opened)
        return false
    }

    var isMissing: Bool { file == nil || count == 0 }

    func close() { if let file { files.close(file) } }

    /// Learns of entries that came since.
    mutating func refresh() {
        if file == nil { find() }
        guard let file else { return }
        let grown = max(0, Int(files.size(of: file)) - LogIndex.headerBytes) / LogIndex.entryBytes
        if grown < count { block = [] }
        if grown != count, blockStart + block.count / LogIndex.entryBytes >= min(count, grown) { block = [] }
        count = grown
        place = min(place, max(0, count - 1))
    }

    /// What is said of the byte at `offset`: the last entry at or below it.
    mutating func entry(at offset: Int64) -> LogIndex.Entry? {
        guard count > 0 else { return nil }
        if let here = entry(place), here.offset <= offset {
            while place + 1 < count, let next = entry(place + 1), next.offset <= offset {
                // Far away: by halves instead.
                if next.offset + 64 * LogIndex.coarseBytes < offset { break }
                place += 1
            }
            if place + 1 >= count || (entry(place + 1)?.offset ?? .max) > offset { return entry(place) }
        }
        place = max(0, partition { $0.offset <= offset } - 1)
        return entry(place).flatMap { $0.offset <= offset ? $0 : nil }
    }

    /// When the file's first byte was written.
    mutating func firstTime() -> WallTime? { entry(0)?.time }

    /// The launch of the newest entry of one before `launch`. O(entries since).
    mutating func lastLaunch(before launch: LaunchID) -> LaunchID? {
        for index in (0..<count).reversed() {
            if let entry = entry(index), entry.launch < launch { return entry.launch }
        }
        return nil
    }

    /// The first offset that was written at `time` or later; nil when there is none. Entries are in order of time unless the clock
    /// was set back.
    mutating func offset(since time: WallTime) -> Int64? {
        let index = partition { $0.time < time }
        return entry(index)?.offset
    }

    /// How many entries at the beginning hold `condition`, given that those which do come first.
    private mutating func partition(_ condition: (LogIndex.Entry) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if let found = entry(middle), condition(found) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func entry(_ index: Int) -> LogIndex.Entry? {
        guard let file, index >= 0, index < count else { return nil }
        let loaded = block.count / LogIndex.entryBytes
        if index < blockStart || index >= blockStart + loaded {
            blockStart = index / Self.blockEntries * Self.blockEntries
            let start = Int64(LogIndex.headerBytes + blockStart * LogIndex.entryBytes)
            block = files.read(file, at: start, count: min(Self.blockEntries, count - blockStart) * LogIndex.entryBytes)
        }
        return LogIndex.decode(block, at: (index - blockStart) * LogIndex.entryBytes)
    }
}
