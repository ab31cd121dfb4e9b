// SPDX-License-Identifier: Apache-2.0

/// The time index beside a log file: from which byte on which launch wrote, and when. It tells times, never contents: a log is
/// complete without it, and losing its last entry only makes some lines look a little older.
///
/// A header of 16 bytes (`orchidx1`, then the inode of the file it belongs to, so that an index left behind by a kill between two
/// renames is never taken for another file's), then entries of 24 bytes, only ever appended. All numbers are little endian.
public enum LogIndex {
    public static let headerBytes = 16
    public static let entryBytes = 24
    /// `orchidx1`: the last byte is the version.
    public static let magic: [UInt8] = [0x6f, 0x72, 0x63, 0x68, 0x69, 0x64, 0x78, 0x31]

    /// From `offset` to the next entry's: bytes that were moved at `time`, or up to `coarseness` later.
    public struct Entry: Equatable, Sendable {
        /// Bytes from the start of the file; below 2^48.
        public var offset: Int64
        public var time: WallTime
        public var launch: LaunchID
        /// Nil when both outputs of the launch come through one pipe.
        public var stream: LogStreamKind?
        /// The file was cut within a line that grew past every limit: what starts here continues the file before.
        public var continuesLine: Bool

        public init(
            offset: Int64, time: WallTime, launch: LaunchID, stream: LogStreamKind?, continuesLine: Bool = false
        ) {
            self.offset = offset
            self.time = time
            self.launch = launch
            self.stream = stream
            self.continuesLine = continuesLine
        }
    }

    /// How far apart entries of one steady stream are at least, in time ...
    public static let coarseness = Duration.milliseconds(100)
    /// ... unless this many bytes came in between.
    public static let coarseBytes: Int64 = 64 << 10

    /// Whether what is about to be written at `next` needs an entry of its own after `last`.
    public static func needsEntry(_ next: Entry, after last: Entry?) -> Bool {
        guard let last else { return true }
        let passed = next.time - last.time
        return next.launch != last.launch || next.stream != last.stream || next.offset < last.offset || passed < .zero
            || passed >= coarseness
            || (next.offset - last.offset >= coarseBytes && passed >= .milliseconds(1))
    }

    public static func header(inode: UInt64) -> [UInt8] {
        var bytes = magic
        append(inode, to: &bytes)
        return bytes
    }

    /// The inode that a header names; nil when it isn't a header of this version.
    public static func inode(ofHeader bytes: [UInt8]) -> UInt64? {
        guard bytes.count >= headerBytes, Array(bytes[0..<8]) == magic else { return nil }
        return number(in: bytes, at: 8)
    }

    public static func encode(_ entry: Entry) -> [UInt8] {
        let stream: UInt64 =
            switch entry.stream {
            case nil: 0
            case .stdout: 1
            case .stderr: 2
            }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entryBytes)
        let flags = stream | (entry.continuesLine ? 4 : 0)
        append(UInt64(bitPattern: entry.offset) & (1 << 48 - 1) | flags << 48, to: &bytes)
        append(UInt64(bitPattern: entry.time.nanoseconds), to: &bytes)
        append(entry.launch.number, to: &bytes)
        return bytes
    }

    /// The entry at byte `start` of `bytes`; nil when not all of it is there.
    public static func decode(_ bytes: [UInt8], at start: Int = 0) -> Entry? {
        guard start >= 0, bytes.count - start >= entryBytes else { return nil }
        let packed = number(in: bytes, at: start)
        let stream: LogStreamKind? =
            switch packed >> 48 & 3 {
            case 1: .stdout
            case 2: .stderr
            default: nil
            }
        return Entry(
            offset: Int64(packed & (1 << 48 - 1)),
            time: WallTime(nanoseconds: Int64(bitPattern: number(in: bytes, at: start + 8))),
            launch: LaunchID(number(in: bytes, at: start + 16)), stream: stream, continuesLine: packed >> 48 & 4 != 0)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private static func number(in bytes: [UInt8], at start: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<8).reversed() { value = value << 8 | UInt64(bytes[start + index]) }
        return value
    }
}
