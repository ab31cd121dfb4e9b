// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import OrchModel
internal import OrchWire

/// The whole of `orch-edge`: reads questions from the daemon, asks them, sends back what came of it. One thread, one event loop,
/// and nothing to lose: it ends when the daemon's end of the socket is closed.
public enum EdgeProgram {
    /// Where the daemon puts the socket.
    public static let inheritedDescriptor: Int32 = 3

    /// Returns the exit status: 0 when the daemon hung up, 64 (`EX_USAGE`) when nobody is there to talk to.
    public static func run(descriptor: Int32 = inheritedDescriptor) -> Int32 {
        var type: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) == 0 else {
            complain(
                "orch-edge: descriptor \(descriptor) is not a socket. The daemon starts this program by itself; there is nothing to do by hand."
            )
            return 64
        }
        raiseDescriptorLimit()
        _ = signal(SIGPIPE, SIG_IGN)
        MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
            let opened = ClientBootstrap(group: loop).withConnectedSocket(descriptor)
            opened.assumeIsolated().whenComplete { result in
                do {
                    let channel = try result.get()
                    try channel.pipeline.syncOperations.addHandler(DaemonSession(on: loop))
                } catch {
                    complain("orch-edge: the daemon's socket can't be used: \(error)")
                    loop.shutdownGracefully { _ in }
                }
            }
        }
        return 0
    }

    /// A probe needs a descriptor, and the soft limit is 1,024 on most machines (getrlimit(2)).
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func complain(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = unsafe write(2, line, line.count)
    }
}

/// The conversation with the daemon.
private final class DaemonSession: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let prober: Prober
    private let loop: any EventLoop
    private var frames = FrameBuffer(limit: Limits.edgeFrameBytes)
    private var hasUnsent = false

    init(on loop: any EventLoop) {
        self.loop = loop
        prober = Prober(on: loop)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = context.channel
        frames.append(Array(Self.unwrapInboundIn(data).readableBytesView))
        do {
            while let frame = try frames.next() {
                let ask = try EdgeAsk(frame)
                prober.ask(ask.probe, timeout: ask.timeout) { [self] verdict in
                    answer(EdgeAnswer(id: ask.id, verdict: verdict), on: channel)
                }
            }
        } catch {
            // Only another version could write what this one can't read; the daemon starts the right one.
            context.close(promise: nil)
        }
    }

    /// What is answered in one turn of the loop wakes the daemon once.
    private func answer(_ answer: EdgeAnswer, on channel: any Channel) {
        channel.write(ByteBuffer(bytes: Frame.encode(answer)), promise: nil)
        guard !hasUnsent else { return }
        hasUnsent = true
        loop.assumeIsolated().execute { [self] in
            hasUnsent = false
            channel.flush()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { loop.shutdownGracefully { _ in } }
}
