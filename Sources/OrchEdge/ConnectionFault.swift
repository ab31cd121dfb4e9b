// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import OrchWire

/// Why there was no answer.
enum ConnectionFault: Error, Equatable {
    /// The other side closed before it answered. On a connection that was used before, it may just have been idle for too long.
    case closed
    case refused
    /// Any other word of the kernel, by errno.
    case system(Int32)
    /// The name has no address; in the resolver's words.
    case unresolved(String)
    /// What came is not HTTP/1.
    case garbled
    /// The request can't be sent as it is written.
    case unsendable(String)
    /// Anything else, in the library's words.
    case other(String)

    init(_ error: any Error) {
        switch error {
        case let fault as ConnectionFault: self = fault
        case let error as IOError: self.init(code: error.errnoCode)
        case let error as NIOConnectionError: self.init(error)
        case let error as ChannelError:
            switch error {
            case .ioOnClosedChannel, .alreadyClosed, .eof, .outputClosed, .inputClosed: self = .closed
            default: self = .other("\(error)")
            }
        case let error as HTTPParserError:
            switch error {
            case .invalidEOFState, .closedConnection: self = .closed
            case .invalidHeaderToken:
                self = .unsendable("a header of the request has characters that HTTP does not allow")
            default: self = .garbled
            }
        case let error as SocketAddressError.UnknownHost: self = .unresolved(error.errorDescription)
        default: self = .other("\(error)")
        }
    }

    private init(code: Int32) {
        switch code {
        case ECONNREFUSED: self = .refused
        case ECONNRESET, EPIPE: self = .closed
        default: self = .system(code)
        }
    }

    /// Of several attempts the first that was made says most; a name without any address says that.
    private init(_ error: NIOConnectionError) {
        if let attempt = error.connectionErrors.first {
            self.init(attempt.error)
        } else if let lookup = error.dnsAError ?? error.dnsAAAAError {
            self.init(lookup)
        } else {
            self = .unresolved("no address")
        }
    }

    /// What this means for a probe of `target`.
    func verdict(for target: ProbeTarget) -> EdgeVerdict {
        switch self {
        case .closed: .failure("the connection was closed before an answer came")
        case .refused: .failure("connection refused")
        case .system(let code): ConnectionFault.verdict(on: code)
        case .unresolved(let words): .failure("the name \"\(target.origin.host)\" can't be resolved: \(words)")
        case .garbled: .failure("what answered at \(target.authority) does not speak HTTP/1.1")
        case .unsendable(let words): .unasked(words)
        case .other(let words): .failure(words)
        }
    }

    private static func verdict(on code: Int32) -> EdgeVerdict {
        var text = [CChar](repeating: 0, count: 128)
        _ = unsafe strerror_r(code, &text, text.count)
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // connect(2), socket(2): this machine lacks something, which says nothing about the service.
        let isScarcity = [EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EAGAIN].contains(code)
        return isScarcity
            ? .unasked("no connection could be made: \(words)")
            : .failure(words.prefix(1).lowercased() + words.dropFirst())
    }
}
