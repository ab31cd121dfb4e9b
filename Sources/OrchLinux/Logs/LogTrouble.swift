// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Why a log file can't be written.
enum LogTrouble: Error, Equatable {
    case system(SystemError)
    /// The name is taken by something that is no regular file.
    case notAFile
    /// The file has a second name somewhere: writing it could mean writing anything.
    case hardLink
    /// The file belongs to another user.
    case foreign(UInt32)

    /// More room would help, and it may be ours to make.
    var isFull: Bool {
        switch self {
        case .system(let error): [ENOSPC, EDQUOT, EFBIG].contains(error.code)
        case .notAFile, .hardLink, .foreign: false
        }
    }

    /// The fact and, where it isn't plain, the remedy.
    var reason: String {
        switch self {
        case .system(let error) where error.code == ELOOP:
            "it is a symbolic link, which a log never follows; remove it or name its target"
        case .system(let error): error.reason
        case .notAFile: "it is not a regular file; move it away or name another file"
        case .hardLink: "it has a second hard link; remove one of the names"
        case .foreign(let owner): "it belongs to user \(owner); change its owner or name another file"
        }
    }
}

extension LogTrouble {
    /// Runs a system call's wrapper and tells its failure as trouble.
    static func asking<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(LogTrouble) -> Value {
        do { return try body() } catch { throw .system(error) }
    }
}
