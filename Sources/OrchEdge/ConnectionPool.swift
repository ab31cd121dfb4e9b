// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import OrchModel

/// Connections by server, kept while the server keeps them. Lives on one event loop.
final class ConnectionPool {
    private let loop: any EventLoop
    private var idle: [ProbeTarget.Origin: [Connection]] = [:]
    /// All that are open or being opened.
    private(set) var openCount = 0

    init(on loop: any EventLoop) { self.loop = loop }

    /// An idle connection that the server has not closed, as far as we know.
    func takeIdle(to origin: ProbeTarget.Origin) -> Connection? {
        while let connection = idle[origin]?.popLast() {
            if idle[origin]?.isEmpty == true { idle[origin] = nil }
            if connection.isUsable { return connection }
        }
        return nil
    }

    /// Keeps a connection that has answered for the next question; more than a few for one server are closed.
    func putBack(_ connection: Connection) {
        guard connection.isUsable else { return }
        guard idle[connection.origin, default: []].count < Limits.idleConnectionsPerServer else {
            return connection.abandon()
        }
        idle[connection.origin, default: []].append(connection)
    }

    /// Opens a connection; `completion` is called once, on the loop. `limit` bounds the attempt.
    func open(
        to origin: ProbeTarget.Origin, limit: TimeAmount,
        completion: @escaping (Result<Connection, ConnectionFault>) -> Void
    ) {
        guard openCount < Limits.probeConnections else {
            return completion(
                .failure(.unsendable("\(Limits.probeConnections) probes have connections open, which is the limit")))
        }
        openCount += 1
        connect(to: ConnectionPool.addresses(of: origin)[...], origin: origin, limit: limit) { [self] result in
            switch result {
            case .failure(let fault):
                openCount -= 1
                completion(.failure(fault))
            case .success(let channel): completion(adopt(channel, to: origin))
            }
        }
    }

    private func adopt(_ channel: any Channel, to origin: ProbeTarget.Origin) -> Result<Connection, ConnectionFault> {
        let connection = Connection(channel, to: origin)
        connection.whenClosed = { [self, unowned connection] in
            openCount -= 1
            idle[origin]?.removeAll { $0 === connection }
            if idle[origin]?.isEmpty == true { idle[origin] = nil }
        }
        do {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(connection)
            return .success(connection)
        } catch {
            openCount -= 1
            channel.close(promise: nil)
            return .failure(ConnectionFault(error))
        }
    }

    /// Addresses that need no resolver; empty for a name. `localhost` is the loopback interface, whatever a server says (RFC 6761 §6.3).
    static func addresses(of origin: ProbeTarget.Origin) -> [SocketAddress] {
        let hosts = origin.host == "localhost" ? ["127.0.0.1", "::1"] : [origin.host]
        return hosts.compactMap { try? SocketAddress(ipAddress: $0, port: origin.port) }
    }

    /// Tries the addresses one after the other, or asks the resolver when there are none.
    private func connect(
        to addresses: ArraySlice<SocketAddress>, origin: ProbeTarget.Origin, limit: TimeAmount,
        completion: @escaping (Result<any Channel, ConnectionFault>) -> Void
    ) {
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(limit)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        let attempt =
            addresses.first.map { bootstrap.connect(to: $0) } ?? bootstrap.connect(host: origin.host, port: origin.port)
        attempt.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let channel): completion(.success(channel))
            case .failure(let error) where addresses.count > 1:
                connect(to: addresses.dropFirst(), origin: origin, limit: limit) { next in
                    // The first address is the one that people mean.
                    completion(next.mapError { _ in ConnectionFault(error) })
                }
            case .failure(let error): completion(.failure(ConnectionFault(error)))
            }
        }
    }
}
