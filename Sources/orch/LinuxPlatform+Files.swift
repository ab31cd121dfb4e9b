// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchModel

extension LinuxPlatform {
    func terminal(of stream: OutputStream) -> TerminalSize? {
        let descriptor = number(of: stream)
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return TerminalSize(columns: 80, rows: 24)
        }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    var canAsk: Bool { isatty(STDIN_FILENO) == 1 }

    func readLine() -> String? { Swift.readLine() }

    func write(_ bytes: [UInt8], to stream: OutputStream) throws(Fault) -> Bool {
        let code = Self.writeAll(bytes, to: number(of: stream))
        // A terminal that went away (EIO) reads as little as a closed pipe.
        if code == EPIPE || code == EIO { return false }
        guard code == 0 else { throw Fault(step: "write to", subject: name(of: stream), reason: Errno.text(code)) }
        return true
    }

    func write(_ bytes: [UInt8], toFile name: String, in folder: String) throws(Fault) {
        var made = folder.hasPrefix("/") ? "" : "."
        for part in folder.split(separator: "/") {
            made += "/\(part)"
            if unsafe mkdir(made, 0o755) != 0, errno != EEXIST {
                throw Fault(step: "make the folder", subject: made, reason: Errno.text(errno))
            }
        }
        let path = "\(folder)/\(name)"
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Fault(step: "write", subject: path, reason: Errno.text(errno)) }
        var code = Self.writeAll(bytes, to: descriptor)
        if Glibc.close(descriptor) != 0, code == 0 { code = errno }
        guard code == 0 else { throw Fault(step: "write", subject: path, reason: Errno.text(code)) }
    }

    private func name(of stream: OutputStream) -> String {
        switch stream {
        case .output: "standard output"
        case .errors: "standard error"
        }
    }

    private func number(of stream: OutputStream) -> Int32 {
        switch stream {
        case .output: STDOUT_FILENO
        case .errors: STDERR_FILENO
        }
    }

    /// 0 or an errno. A descriptor that somebody made non-blocking is waited for.
    static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
            if count >= 0 {
                start += count
                continue
            }
            let code = errno
            if code == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waiting, 1, -1)
            } else if code != EINTR {
                return code
            }
        }
        return 0
    }

    func read(_ path: String) throws(Fault) -> [UInt8] {
        if path == "-" { return try readAll(STDIN_FILENO, named: "standard input") }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else {
            throw Fault(step: "read", subject: path, reason: Errno.text(errno))
        }
        defer { Glibc.close(descriptor) }
        return try readAll(descriptor, named: path)
    }

    /// One byte more than a manifest may have is enough to refuse it.
    private func readAll(_ descriptor: Int32, named name: String) throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Limits.frameBytes {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count > 0 {
                bytes.append(contentsOf: chunk[0..<count])
            } else if count == 0 {
                return bytes
            } else if errno != EINTR {
                throw Fault(step: "read", subject: name, reason: Errno.text(errno))
            }
        }
        return bytes
    }

    func readTail(of path: String, limit: Int) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        let end = lseek(descriptor, 0, SEEK_END)
        guard end >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: min(limit, end))
        let length = bytes.count
        let count = unsafe pread(descriptor, &bytes, length, end - length)
        guard count >= 0 else { return nil }
        return Array(bytes[0..<count])
    }

    func names(in folder: String) -> [String] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var result: [String] = []
        while let entry = unsafe readdir(directory) {
            // SAFETY: d_name is a C string inside the entry, copied before the next call replaces it.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self)
            }
            let text = unsafe String(cString: name)
            if text != ".", text != ".." { result.append(text) }
        }
        return result.sorted()
    }

    func isFile(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT != S_IFDIR
    }
}
