// SPDX-License-Identifier: Apache-2.0

/// The files that logs are read from, whoever keeps them: the command line and the edge bring a file system, tests bring what they
/// like. What can't be read is empty or nil: a log that can't be opened has no lines, and who asked for it says why.
public protocol LogFiles: AnyObject {
    /// The names in a folder, in no order; empty when it can't be read.
    func names(in folder: String) -> [String]
    /// What a path leads to right now; nil when there is nothing.
    func inode(of path: String) -> UInt64?
    /// Opens a file for reading, which stays the same file when it is renamed or removed. Nil when there is none.
    func open(_ path: String) -> OpenLog?
    /// Its length in bytes at the moment.
    func size(of file: OpenLog) -> Int64
    /// Up to `count` bytes from `offset`; fewer at the end.
    func read(_ file: OpenLog, at offset: Int64, count: Int) -> [UInt8]
    func close(_ file: OpenLog)
}

/// A file that `LogFiles` opened.
public struct OpenLog: Equatable, Sendable {
    /// Its number with the one who opened it, e.g. a descriptor.
    public var handle: Int32
    public var inode: UInt64
    public init(handle: Int32, inode: UInt64) {
        self.handle = handle
        self.inode = inode
    }
}
