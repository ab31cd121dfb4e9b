// SPDX-License-Identifier: Apache-2.0
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A server on the loopback interface that says byte for byte what a test wants, and counts.
final class ScriptedServer: Sendable {
    enum Reply: Sendable {
        case bytes(String)
        case bytesThenClose(String)
        case silence
        case close
    }
    struct Request: Sendable {
        /// Head and body.
        var text: String
        /// Which connection, from 1, and which request on it, from 1.
        var connection: Int
        var number: Int
        var path: String { text.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
    }
    struct Counts: Sendable, Equatable {
        var connections = 0
        var requests = 0
    }

    let port: Int
    private let counted = NIOLockedValueBox(Counts())
    private let channel: any Channel

    init(_ script: @escaping @Sendable (Request) -> Reply) throws {
        let counted = counted
        channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let connection = counted.withLockedValue { counts in
                    counts.connections += 1
                    return counts.connections
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Conversation(connection, counted, script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress?.port ?? 0
    }

    var counts: Counts { counted.withLockedValue { $0 } }
    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }
    func close() { channel.close(promise: nil) }

    /// A complete answer with a length.
    static func answer(_ status: String, _ body: String = "", headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    private final class Conversation: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        let connection: Int
        let counted: NIOLockedValueBox<Counts>
        let script: @Sendable (Request) -> Reply
        var number = 0
        var text = ""

        init(_ connection: Int, _ counted: NIOLockedValueBox<Counts>, _ script: @escaping @Sendable (Request) -> Reply)
        {
            self.connection = connection
            self.counted = counted
            self.script = script
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: Self.unwrapInboundIn(data))
            guard isWhole else { return }
            number += 1
            counted.withLockedValue { $0.requests += 1 }
            let reply = script(Request(text: text, connection: connection, number: number))
            text = ""
            switch reply {
            case .bytes(let bytes): context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: bytes)), promise: nil)
            case .bytesThenClose(let bytes):
                context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: bytes)), promise: nil)
                context.close(promise: nil)
            case .silence: break
            case .close: context.close(promise: nil)
            }
        }

        private var isWhole: Bool {
            guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
            let length = text.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.1) } ?? 0
            return text[end.upperBound...].utf8.count >= length
        }
    }
}
