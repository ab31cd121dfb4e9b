// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A place in one log, across its segments, moving forward line by line. Survives rotation while it reads.
struct LogCursor {
    /// A line as the file has it.
    struct Piece {
        var bytes: [UInt8]
        var entry: LogIndex.Entry?
        var isComplete: Bool
    }

    /// Where a log ended at some time.
    struct End {
        /// The segment, or what the active file will be called as one.
        var number: Int
        var size: Int64

        /// How much of the file of that number was there.
        func bytes(of number: Int) -> Int64 { number < self.number ? .max : number == self.number ? size : 0 }
    }

    private let files: any LogFiles
    private let folder: String
    private let name: String
    private let path: String
    /// The segment that is being read; of the active file the number that it will get.
    private var number = 0
    private var isActive = false
    private var file: OpenLog?
    private var times: LogTimes?
    /// Where in the file `buffer` begins, and how much of it is done.
    private var start: Int64 = 0
    private var buffer: [UInt8] = []
    private var done = 0
    private var searched = 0
    /// The beginning of a line that the file before ended with.
    private var carried: Piece?
    /// What came later is not read; nil when it goes on for ever.
    private(set) var end: End?

    private static let blockBytes = 64 << 10

    init(_ files: any LogFiles, path: String) {
        self.files = files
        self.path = path
        (folder, name) = LogLayout.split(path)
    }

    /// Ends with what is there now: who writes faster than somebody reads would never let him go.
    mutating func stopAtEnd() {
        number = segments().last ?? 0
        end = openNext() ? file.map { End(number: number, size: files.size(of: $0)) } : End(number: number, size: .max)
        close()
        (file, times, number, isActive) = (nil, nil, 0, false)
    }

    /// Begins at a byte of segment `number`, nil for the active file; when it isn't there, at the beginning of what follows it.
    mutating func seek(to number: Int?, offset: Int64) {
        if let number {
            self.number = number - 1
            _ = openNext()
            guard self.number == number, !isActive else { return }
        } else {
            // What is rotated from now on was active when the place was found.
            self.number = end.map { $0.number - 1 } ?? segments().last ?? 0
            guard openNext() else { return }
        }
        start = offset
        guard offset > 0, let file, files.read(file, at: offset - 1, count: 1) != [10] else { return }
        // Within a line: it belongs to what came before.
        while next(follows: true)?.isComplete == false {}
    }

    /// The next line; nil when there is none at the moment. When it follows, an unfinished line is waited for.
    mutating func next(follows: Bool) -> Piece? {
        if file == nil, !openNext() { return nil }
        while true {
            if let end = newline() { return take(upTo: end, isComplete: true) }
            if buffer.count - done >= Limits.logViewBytes { return take(upTo: buffer.count, isComplete: false) }
            if fill() || advance() { continue }
            guard !follows, done < buffer.count || carried != nil else { return nil }
            return take(upTo: buffer.count, isComplete: false)
        }
    }

    func close() {
        times?.close()
        if let file { files.close(file) }
    }

    private mutating func newline() -> Int? {
        var index = max(searched, done)
        while index < buffer.count {
            if buffer[index] == 10 { return index }
            index += 1
        }
        searched = index
        return nil
    }

    private mutating func take(upTo end: Int, isComplete: Bool) -> Piece {
        let entry = times?.entry(at: start + Int64(done))
        var piece = Piece(bytes: Array(buffer[done..<end]), entry: entry, isComplete: isComplete)
        if let beginning = carried {
            piece.bytes = beginning.bytes + piece.bytes
            piece.entry = beginning.entry
            carried = nil
        }
        done = isComplete ? end + 1 : end
        return piece
    }

    /// Reads on in the current file; false at its end.
    private mutating func fill() -> Bool {
        guard let file else { return false }
        let read = start + Int64(buffer.count)
        let size = files.size(of: file)
        if size < read, isActive {
            // Truncated by somebody: what is there now is new.
            (start, buffer, done, searched) = (0, [], 0, 0)
            return size > 0
        }
        let room = (end?.bytes(of: number) ?? .max) - read
        guard room > 0 else { return false }
        let block = files.read(file, at: read, count: Int(min(Int64(Self.blockBytes), room)))
        guard !block.isEmpty else { return false }
        if done > 0 {
            buffer.removeSubrange(0..<done)
            start += Int64(done)
            searched -= min(searched, done)
            done = 0
        }
        buffer += block
        times?.refresh()
        return true
    }

    /// Goes to the next file, or to the rest of this one; false when this is the active file and all of it is read.
    private mutating func advance() -> Bool {
        guard let file else { return openNext() }
        if isActive {
            guard let current = files.inode(of: path), current != file.inode else { return false }
            // It is rotated; what came between the last read and that is still in it.
            isActive = false
            if let its = segments().first(where: { files.inode(of: segmentPath($0)) == file.inode }) {
                if end?.number == number { end?.number = its }
                number = its
            }
            if fill() { return true }
        }
        let rest = done < buffer.count || carried != nil ? take(upTo: buffer.count, isComplete: false) : nil
        guard openNext() else {
            carried = rest
            return false
        }
        carried = rest
        return true
    }

    /// Opens the oldest segment after `number`, or the active file.
    private mutating func openNext() -> Bool {
        while number < end?.number ?? .max {
            let segments = segments()
            for candidate in segments where candidate > number {
                guard open(candidate) else { continue }
                number = candidate
                isActive = false
                return true
            }
            guard let opened = files.open(path) else { return false }
            if self.segments().last == segments.last {
                use(opened, name)
                number = max(number, segments.last ?? 0) + 1
                isActive = true
                return true
            }
            // It was rotated between the look and the opening: what is a segment by now comes first.
            files.close(opened)
        }
        return false
    }

    private mutating func open(_ segment: Int) -> Bool {
        let path = segmentPath(segment)
        guard let opened = files.open(path) else { return false }
        use(opened, LogLayout.segment(name, segment))
        // Compressed between the look at it and at its index, which goes with it: the compressed one has an index of its own.
        if times?.isMissing ?? false, files.inode(of: path) == nil,
            let packed = files.inode(of: LogLayout.compressed(path)), packed != opened.inode,
            let other = files.open(path)
        {
            use(other, LogLayout.segment(name, segment))
        }
        return true
    }

    private func segments() -> [Int] { LogLayout.segments(of: name, among: files.names(in: folder)) }

    private mutating func use(_ opened: OpenLog, _ itsName: String) {
        close()
        file = opened
        times = LogTimes(files, folder: folder, name: name, itsName: itsName, inode: opened.inode)
        (start, buffer, done, searched) = (0, [], 0, 0)
    }

    private func segmentPath(_ number: Int) -> String { LogLayout.join(folder, LogLayout.segment(name, number)) }
}
