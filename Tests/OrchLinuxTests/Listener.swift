// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchModel

@testable import OrchLinux

/// A listener of this very process on 127.0.0.1, at any free port.
final class Listener {
    let port: Int
    private let socket: Int32

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (fd, size) = (socket, length)
        let failed = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(fd, $0, size) < 0 || listen(fd, 8) < 0 || getsockname(fd, $0, &length) < 0
            }
        }
        guard !failed else { throw SystemError("listen", code: errno) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    deinit { _ = close(socket) }

    /// Takes one connection, hears a request of one piece, answers, and hangs up. `turn` lets others work while nobody comes.
    func answer(_ text: String, turn: () -> Void) throws -> String {
        let end = Clock.now.instant + Bench.patience
        while Clock.now.instant < end {
            turn()
            let accepted = accept(socket, nil, nil)
            guard accepted >= 0 else { continue }
            let connection = Descriptor(owning: accepted)
            var poll = pollfd(fd: accepted, events: Int16(POLLIN), revents: 0)
            guard unsafe Glibc.poll(&poll, 1, 30_000) == 1 else { break }
            var block = [UInt8](repeating: 0, count: 16384)
            let count = unsafe read(connection.number, &block, block.count)
            try SmallFile.write(Array(text.utf8), to: connection.number)
            return String(decoding: block[..<max(0, count)], as: UTF8.self)
        }
        throw Missing(description: "nobody came to port \(port)")
    }
}
