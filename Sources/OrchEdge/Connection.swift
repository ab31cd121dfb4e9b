// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOHTTP1
internal import OrchModel

/// One connection to one server, the last stage of its channel's pipeline. It asks one thing at a time and lives on its event loop.
///
///     idle ──send──► asking ──answer──► idle         (kept: the server allows it)
///                       └─────answer or fault──────► closed
final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    let origin: ProbeTarget.Origin
    /// How many answers it has given.
    private(set) var answers = 0
    /// Called once, when it is closed.
    var whenClosed: (() -> Void)?

    private let channel: any Channel
    private var completion: ((Result<HTTPAnswer, ConnectionFault>) -> Void)?
    private var answer: HTTPAnswer?
    private var mayBeKept = false

    init(_ channel: any Channel, to origin: ProbeTarget.Origin) {
        self.channel = channel
        self.origin = origin
    }

    var isUsable: Bool { channel.isActive && completion == nil }

    /// Sends a request; `completion` is called exactly once, unless `abandon` comes first.
    func send(
        _ head: HTTPRequestHead, body: String?, completion: @escaping (Result<HTTPAnswer, ConnectionFault>) -> Void
    ) {
        self.completion = completion
        answer = nil
        let channel = channel
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil) }
        let sent = channel.writeAndFlush(HTTPClientRequestPart.end(nil))
        sent.assumeIsolated().whenFailure { [self] error in fail(ConnectionFault(error)) }
    }

    /// Closes it; whoever waits for an answer hears nothing more.
    func abandon() {
        completion = nil
        channel.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            answer = HTTPAnswer(status: Int(head.status.code))
            mayBeKept = head.isKeepAlive
        case .body(let bytes): take(bytes)
        case .end: finish()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(ConnectionFault(error)) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        whenClosed?()
        whenClosed = nil
    }

    private func take(_ bytes: ByteBuffer) {
        guard var answer, completion != nil else { return }
        let room = Limits.probeBodyBytes - answer.body.count
        answer.body += bytes.readableBytesView.prefix(room)
        answer.isCut = bytes.readableBytes > room
        self.answer = answer
        // Nobody needs the rest, and reading on would take as long as the server likes.
        if answer.isCut {
            mayBeKept = false
            finish()
        }
    }

    private func finish() {
        guard let completion, let answer else { return }
        self.completion = nil
        self.answer = nil
        answers += 1
        if !mayBeKept { channel.close(promise: nil) }
        completion(.success(answer))
    }

    private func fail(_ fault: ConnectionFault) {
        let completion = completion
        self.completion = nil
        channel.close(promise: nil)
        completion?(.failure(fault))
    }
}
