// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// How a log file becomes segments, and what becomes of those.
extension LogFile {
    /// Renames the file to its next segment, in the same folder and never over another, opens a new file of the old name, and does
    /// with the segments as `rotate` says.
    @discardableResult
    func rotateNow(
        _ now: Instant, at time: WallTime, cutsLine: Bool = false
    ) throws(LogTrouble) -> LogRotation.Outcome {
        guard let found = status else {
            try open(now)
            return .empty
        }
        var made: String?
        let place = try LogFolder.opened(folder)
        let names = try LogTrouble.asking { () throws(SystemError) in try place.names() }
        var segments = LogLayout.segments(of: name, among: names)
        if place.status(of: name)?.isSameFile(as: found) == true {
            var number = (segments.last ?? 0) + 1
            while true {
                let segment = LogLayout.segment(name, number)
                if try LogTrouble.asking({ () throws(SystemError) in try place.rename(name, to: segment) }) {
                    made = segment
                    break
                }
                number += 1
            }
            segments.append(number)
        }
        Failpoint.segmentRenamed.reach()
        close()
        try open(now)
        continuesLine = cutsLine
        prune(segments, in: place, at: time)
        guard let made else { return .failed("somebody took its name away; a new file was begun") }
        // In this order: a compressed segment has its name before the plain one goes.
        let isKept = place.status(of: made) != nil || place.status(of: LogLayout.compressed(made)) != nil
        return isKept ? .rotated(segment: LogLayout.join(folder, made)) : .forgotten
    }

    /// Forgets the segments that `rotate` does not allow: more than `keep`, older than `max_age`, beyond `total`. Has the others
    /// compressed. `folders`: the segments in each folder that was looked at before, by file; a folder is read once for all its files.
    func prune(at time: WallTime, _ folders: inout [String: [String: [Int]]]) {
        guard !appends, let place = try? LogFolder.opened(folder) else { return }
        guard let known = folders[folder] ?? (try? place.names()).map({ LogLayout.segments(among: $0) }) else { return }
        folders[folder] = known
        prune(known[name] ?? [], in: place, at: time)
    }

    private func prune(_ found: [Int], in place: borrowing LogFolder, at time: WallTime) {
        var segments = found
        let surplus = segments.dropLast(max(0, rotate.keep))
        for number in surplus { remove(number, in: place) }
        segments.removeFirst(surplus.count)
        removeOld(&segments, in: place, at: time)
        removeBeyondTotal(&segments, in: place)
        guard rotate.compress == .gzip else { return }
        for number in segments {
            let segment = LogLayout.segment(name, number)
            if place.status(of: segment) != nil { work.compressor.compress(segment, in: folder) }
        }
    }

    private func removeOld(_ segments: inout [Int], in place: borrowing LogFolder, at time: WallTime) {
        expiry = nil
        guard let maxAge = rotate.maxAge else { return }
        while let oldest = segments.first {
            if let end = status(ofSegment: oldest, in: place)?.modified, time - end < maxAge {
                expiry = end + maxAge
                return
            }
            remove(oldest, in: place)
            segments.removeFirst()
        }
    }

    /// The active file counts as large as it may become.
    private func removeBeyondTotal(_ segments: inout [Int], in place: borrowing LogFolder) {
        guard let total = rotate.total, let size = rotate.size else { return }
        var room = total - size
        for (index, number) in segments.enumerated().reversed() {
            room -= status(ofSegment: number, in: place)?.size ?? 0
            guard room < 0 else { continue }
            for older in segments[...index] { remove(older, in: place) }
            segments.removeFirst(index + 1)
            return
        }
    }

    private func status(ofSegment number: Int, in place: borrowing LogFolder) -> FileStatus? {
        let segment = LogLayout.segment(name, number)
        return place.status(of: segment) ?? place.status(of: LogLayout.compressed(segment))
    }

    /// Makes room by removing the oldest segment; false when there is none.
    func removeOldestSegment() -> Bool {
        guard !appends, let place = try? LogFolder.opened(folder),
            let names = try? place.names(), let oldest = LogLayout.segments(of: name, among: names).first
        else { return false }
        // Its room is needed now.
        return remove(oldest, in: place, later: false)
    }

    /// - Parameter later: its name goes now, and what it holds of the disk a moment later: to free ten megabytes takes as long as writing three.
    @discardableResult
    private func remove(_ number: Int, in place: borrowing LogFolder, later: Bool = true) -> Bool {
        let segment = LogLayout.segment(name, number)
        let compressed = LogLayout.compressed(segment)
        place.remove(LogLayout.index(of: segment))
        place.remove(LogLayout.index(of: compressed))
        Failpoint.segmentForgotten.reach()
        place.remove(LogCompressor.unfinished(segment))
        let kept = later ? (try? place.open(segment, flags: O_RDONLY))?.release() : nil
        defer { if let kept { work.close(kept) } }
        // The compressor looks whether the first is still there before it leaves the second behind.
        let hadPlain = place.remove(segment)
        return place.remove(compressed) || hadPlain
    }
}
