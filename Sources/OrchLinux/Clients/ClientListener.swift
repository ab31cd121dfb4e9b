// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchModel

/// The control socket, which the keeper holds and lends, and the connections that came through it.
final class ClientListener {
    private let listening: Descriptor
    /// Spent to take and drop a connection when no other descriptor is left; else a waiting one would keep the loop awake.
    private var reserve: Descriptor?
    private var clients: [ClientID: ClientSocket] = [:]
    private var next: UInt64 = 1
    /// Of users who may speak to the daemon: nobody else's is asked for, as that may take long.
    private var names: [UInt32: String] = [:]

    /// The listening socket's, which stays the listener's.
    var number: Int32 { listening.number }

    init(_ listening: consuming Descriptor) {
        self.listening = listening
        reserve = Self.makeReserve()
    }

    func start(_ poller: borrowing Poller) throws(SystemError) {
        try poller.watch(listening.number, .reading, as: .listener)
    }

    /// Whoever comes from now on is refused, also by the keeper's copy of the socket: who sees the daemon go must not meet it again.
    func refuse(_ poller: borrowing Poller) {
        poller.forget(listening.number)
        _ = shutdown(listening.number, Int32(SHUT_RDWR))
    }

    /// Takes all who wait.
    func accept(_ poller: borrowing Poller) -> [Input] {
        var inputs: [Input] = []
        while true {
            let answer = corch_accept(listening.number)
            guard answer >= 0 else {
                if answer == -EMFILE || answer == -ENFILE { inputs.append(dropOne()) }
                return inputs
            }
            let socket = ClientSocket(ClientID(next), Descriptor(owning: answer))
            guard clients.count < Limits.clients else {
                inputs.append(.remarked("a client was turned away: \(Limits.clients) are connected already"))
                continue
            }
            guard let peer = socket.peer(named: name(of:)), watches(socket, poller) else { continue }
            next += 1
            clients[socket.client] = socket
            inputs.append(.connected(socket.client, peer))
        }
    }

    /// Something happened at a client's socket.
    func serve(_ number: UInt64, _ ready: Poller.Ready, _ poller: borrowing Poller) -> [Input] {
        guard let socket = clients[ClientID(number)] else { return [] }
        if ready.isWritable || ready.isHungUp { settle(socket, poller) }
        guard clients[socket.client] != nil else { return socket.isClosing ? [] : [.disconnected(socket.client)] }
        guard ready.isReadable || ready.isHungUp else { return [] }
        guard let bytes = socket.receive() else {
            drop(socket, poller)
            return socket.isClosing ? [] : [.disconnected(socket.client)]
        }
        return bytes.isEmpty || socket.isClosing ? [] : [.received(socket.client, bytes)]
    }

    /// Sends now what goes, and the rest when the client reads. Returns what must be told.
    func send(_ bytes: [UInt8], to client: ClientID, _ poller: borrowing Poller) -> [Input] {
        guard let socket = clients[client], !socket.isClosing else { return [] }
        let wasIdle = socket.waitingBytes == 0
        guard socket.enqueue(bytes) else {
            drop(socket, poller)
            return [
                .remarked("a client was cut off: more than \(Limits.clientBacklogBytes >> 20) MiB wait for it"),
                .disconnected(client),
            ]
        }
        if wasIdle { settle(socket, poller) }
        return clients[client] == nil ? [.disconnected(client)] : []
    }

    func close(_ client: ClientID, _ poller: borrowing Poller) {
        guard let socket = clients[client] else { return }
        socket.isClosing = true
        settle(socket, poller)
    }

    /// Tries to deliver everything before the daemon ends; gives up at the first client that does not read.
    func flushAll(_ poller: borrowing Poller) {
        for socket in clients.values { settle(socket, poller) }
    }

    private func name(of user: UInt32) -> String? {
        guard user == 0 || user == getuid() else { return nil }
        if let known = names[user] { return known }
        names[user] = Account.nameOf(user)
        return names[user]
    }

    private func settle(_ socket: ClientSocket, _ poller: borrowing Poller) {
        guard socket.flush() else { return drop(socket, poller) }
        if socket.isClosing, socket.waitingBytes == 0 { return drop(socket, poller) }
        let interest: Poller.Interest =
            socket.isClosing ? .writing : socket.waitingBytes > 0 ? [.reading, .writing] : .reading
        poller.change(socket.descriptor.number, interest, as: .client(socket.client.number))
    }

    private func drop(_ socket: ClientSocket, _ poller: borrowing Poller) {
        poller.forget(socket.descriptor.number)
        clients[socket.client] = nil
    }

    private func watches(_ socket: ClientSocket, _ poller: borrowing Poller) -> Bool {
        do {
            try poller.watch(socket.descriptor.number, .reading, as: .client(socket.client.number))
            return true
        } catch { return false }
    }

    private func dropOne() -> Input {
        reserve = nil
        let answer = corch_accept(listening.number)
        if answer >= 0 { _ = Glibc.close(answer) }
        reserve = Self.makeReserve()
        return .remarked("a client was turned away: the daemon has no descriptor left (RLIMIT_NOFILE)")
    }

    private static func makeReserve() -> Descriptor? {
        do { return try SmallFile.open("/dev/null", O_RDONLY) } catch { return nil }
    }
}
