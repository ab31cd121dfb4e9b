// SPDX-License-Identifier: Apache-2.0

/// A socket that takes connections or datagrams on this host.
public struct ListenerFacts: Equatable, Sendable {
    public enum Transport: String, Sendable, CaseIterable { case tcp, udp, unix }
    public var transport: Transport
    /// `127.0.0.1:80`, `[::]:80`, `/run/web.sock`, `@name`.
    public var address: String
    /// Of those that were asked about, the processes that have it open; ascending.
    public var holders: [Int32]
    /// The service that it was opened for by the daemon (`sockets`).
    public var service: ServiceID?

    public init(_ transport: Transport, _ address: String, holders: [Int32] = [], service: ServiceID? = nil) {
        self.transport = transport
        self.address = address
        self.holders = holders
        self.service = service
    }
}
