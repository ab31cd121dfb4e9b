// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// What the next daemon of this boot must know, one line a note, appended with one write before the effect that it speaks of. Not synced:
/// it dies with the machine, as what it speaks of does. The first line names the boot.
struct LaunchLedger {
    private let path: String
    private var file: HeldDescriptor?
    private var bytes = 0
    private var compactBytes = 0
    /// The last line may have no end.
    private var isTorn = false
    /// As far as they were known when the ledger was opened.
    private(set) var notes: [LaunchNote] = []
    /// There was none of this boot.
    private(set) var isNew = true
    /// A ledger that has grown by so much is written anew.
    private static let growth = 4 << 20
    private static let notesOfALaunch = 4

    /// Reads what is there and opens it for more: the one of this boot goes on, whatever there is otherwise gives way to a new one.
    init(path: String) throws(Fault) {
        self.path = path
        notes = try Self.load(path, &bytes, isNew: &isNew)
        compactBytes = bytes
        isTorn = true
        if !isNew, let old = try? SmallFile.open(path, O_WRONLY | O_APPEND) {
            file = HeldDescriptor(old)
        } else {
            try rewrite()
        }
    }

    /// The fault when it can't be written; what is lost then is lost only if the daemon dies too.
    mutating func append(_ note: LaunchNote) -> Fault? {
        guard let file else { return Fault(step: "write", subject: path, reason: "it is not open") }
        let line = (isTorn ? [10] : []) + LaunchNoteCodec.bytes(of: note) + [10]
        do {
            try SmallFile.write(line, to: file.number)
            isTorn = false
            Failpoint.noteWritten.reach()
        } catch {
            isTorn = true
            return error.fault(step: "write", subject: path, remedy: "free space there")
        }
        bytes += line.count
        return nil
    }

    /// It has grown enough to be written anew.
    var isOvergrown: Bool { bytes > compactBytes + Self.growth }

    /// Leaves out what no later daemon asks for. `open`: launches that the keeper still holds.
    mutating func compact(open: Set<LaunchID>) {
        var isOther = false
        // The old one stays in use when a new one can't be written.
        do {
            notes = LaunchNote.pruned(try Self.load(path, &bytes, isNew: &isOther), open: open)
            try rewrite()
        } catch { compactBytes = bytes }
        notes = []
    }

    /// Lets the notes go, before anything is noted. What later daemons don't ask for is left out when it is most of them: daemons that die
    /// again and again don't spend their lives on copies.
    mutating func settle(open: Set<LaunchID>) {
        defer { notes = [] }
        let all = notes.count
        // Each launch that is open has several: where there are no more than these, they are not most of it.
        guard all > open.count * Self.notesOfALaunch else { return }
        notes = LaunchNote.pruned(notes, open: open)
        if notes.count * 2 < all { do { try rewrite() } catch { compactBytes = bytes } }
    }

    private mutating func rewrite() throws(Fault) {
        var content = Array(Self.header.utf8)
        for note in notes { content += LaunchNoteCodec.bytes(of: note) + [10] }
        do {
            let fresh = try SmallFile.open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND)
            try SmallFile.write(content, to: fresh.number)
            Failpoint.notesRewritten.reach()
            try Syscall.libc("rename") { unsafe rename(path + ".new", path) }
            Failpoint.notesReplaced.reach()
            file = HeldDescriptor(fresh)
            isTorn = false
            bytes = content.count
            compactBytes = bytes
        } catch {
            throw error.fault(step: "write", subject: path, remedy: "free space there")
        }
    }

    private static var header: String { "orch launches 1 \(Clock.bootIdentity() ?? "unknown")\n" }

    /// A line that does not read, torn by a crash or a full disk, is left out. A ledger that is there and can't be read is not none.
    private static func load(_ path: String, _ bytes: inout Int, isNew: inout Bool) throws(Fault) -> [LaunchNote] {
        let content: [UInt8]
        do { content = try SmallFile.record(path, limit: 256 << 20) } catch {
            if error.code == ENOENT { return [] }
            throw error.fault(step: "read", subject: path)
        }
        bytes = content.count
        guard content.starts(with: header.utf8) else { return [] }
        isNew = false
        var notes: [LaunchNote] = []
        notes.reserveCapacity(content.count { $0 == 10 })
        var start = header.utf8.count
        while start < content.count {
            let end = content[start...].firstIndex(of: 10) ?? content.count
            if let note = LaunchNoteCodec.note(from: content, at: start..<end) { notes.append(note) }
            start = end + 1
        }
        return notes
    }
}
