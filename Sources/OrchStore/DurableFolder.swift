// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel

/// A folder whose files are replaced whole: written beside, synced, renamed, and the folder synced, before a write returns.
/// Folders are 0700 and files 0600.
struct DurableFolder {
    let path: String

    /// Makes the folder where it is missing.
    init(making path: String) throws(Fault) {
        self.path = path
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { throw Self.fault("make the folder", path) }
    }

    func write(_ bytes: [UInt8], to name: String) throws(Fault) {
        let temporary = "\(path)/.\(name).new"
        try Self.create(temporary, with: bytes)
        Failpoint.fileWritten.reach()
        guard unsafe rename(temporary, "\(path)/\(name)") == 0 else {
            let fault = Self.fault("replace", "\(path)/\(name)")
            unsafe unlink(temporary)
            throw fault
        }
        Failpoint.fileRenamed.reach()
        try sync()
    }

    /// Nil when there is no such file.
    func read(_ name: String) throws(Fault) -> [UInt8]? {
        let file = unsafe open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Self.fault("open", "\(path)/\(name)")
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var facts = stat()
        if unsafe fstat(file, &facts) == 0 { bytes.reserveCapacity(Int(facts.st_size)) }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(file, &piece, piece.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.fault("read", "\(path)/\(name)")
            }
            bytes.append(contentsOf: piece[..<count])
        }
    }

    func has(_ name: String) -> Bool { unsafe access("\(path)/\(name)", F_OK) == 0 }

    func remove(_ name: String) throws(Fault) {
        guard unsafe unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
            throw Self.fault("remove", "\(path)/\(name)")
        }
        try sync()
    }

    /// Files of this folder, sorted, without those that an interrupted write left; these are removed if asked for.
    func names(cleaning: Bool) throws(Fault) -> [String] {
        guard let folder = unsafe opendir(path) else { throw Self.fault("list", path) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasPrefix(".") {
                if cleaning, name.hasSuffix(".new") { unsafe unlink("\(path)/\(name)") }
            } else {
                names.append(name)
            }
        }
        return names.sorted()
    }

    /// Renames `name` to `name.damaged-N`, N the first free number, and what belongs to it alike. Returns the new name.
    func setAside(_ name: String, alongWith suffixes: [String] = []) throws(Fault) -> String {
        var number = 1
        while unsafe access("\(path)/\(name).damaged-\(number)", F_OK) == 0 { number += 1 }
        let aside = "\(name).damaged-\(number)"
        for suffix in [""] + suffixes {
            guard unsafe rename("\(path)/\(name)\(suffix)", "\(path)/\(aside)\(suffix)") == 0 || errno == ENOENT
            else { throw Self.fault("set aside", "\(path)/\(name)\(suffix)") }
        }
        try sync()
        return aside
    }

    /// Creates the file empty and private unless it is there.
    func touch(_ name: String) throws(Fault) {
        let file = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Self.fault("create", "\(path)/\(name)") }
        close(file)
    }

    private static func create(_ path: String, with bytes: [UInt8]) throws(Fault) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw fault("create", path) }
        var fault: Fault?
        var written = 0
        while written < bytes.count, fault == nil {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count >= 0 { written += count } else if errno != EINTR { fault = Self.fault("write", path) }
        }
        // An error here is final for this file (fsync(2)): it is thrown away, never synced again.
        if fault == nil, fsync(file) != 0 { fault = Self.fault("sync", path) }
        close(file)
        if let fault {
            unsafe unlink(path)
            throw fault
        }
    }

    private func sync() throws(Fault) {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.fault("open the folder", path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.fault("sync the folder", path) }
    }

    /// From errno.
    static func fault(_ step: String, _ subject: String) -> Fault {
        let code = errno
        let words = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        switch code {
        case ENOSPC, EDQUOT:
            return Fault(
                step: step, subject: subject, reason: words, remedy: "free some space there; it is tried again")
        case EACCES, EPERM:
            return Fault(
                step: step, subject: subject, reason: words, remedy: "give the daemon's user the folder, mode 0700")
        case EROFS:
            return Fault(
                step: step, subject: subject, reason: words,
                remedy: "mount it writable, or set ORCH_HOME to another folder")
        default: return Fault(step: step, subject: subject, reason: words)
        }
    }
}
