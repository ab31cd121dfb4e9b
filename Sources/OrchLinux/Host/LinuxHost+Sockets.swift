// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Sockets that are opened for services. The keeper holds each, as a number of the daemon's own that has ended and whose descriptor
/// nobody has let go: no connection is refused while the service, or the daemon, is replaced.
extension LinuxHost {
    /// Those of a launch in their order, opened as far as they are not.
    func openSockets(_ specs: [SocketSpec], for service: ServiceID, as account: Account?) throws(Obstacle)
        -> [HeldSocket]
    {
        var opened: [HeldSocket] = []
        for spec in specs {
            if let known = sockets.firstIndex(where: { $0.service == service && $0.spec.listen == spec.listen }) {
                opened.append(try keepOpen(known, as: spec, account))
            } else {
                opened.append(try open(spec, for: service, account))
            }
        }
        // Nobody else uses them now; the next one may expect what a new one has.
        let isShared = records.values.contains {
            $0.isService && !$0.isOver && $0.isKnownToKeeper && $0.context?.instance.service == service
        }
        if !isShared { for socket in opened { Self.block(socket.descriptor.number) } }
        return opened
    }

    /// Only these may stay open; `former`: they were of a service of that name until now.
    func keepSockets(_ specs: [SocketSpec], of service: ServiceID, former: ServiceID?) {
        for place in sockets.indices where sockets[place].service == former {
            sockets[place].service = service
            record(sockets[place])
        }
        for socket in sockets
        where socket.service == service && !specs.contains(where: { $0.listen == socket.spec.listen }) {
            close(socket)
        }
    }

    /// The service that such a socket is open for.
    func socketHolder(of address: SocketSpec.Address) -> ServiceID? {
        sockets.first { $0.spec.listen.overlaps(address) }?.service
    }

    /// What the keeper holds, taken out of its hand-over.
    func resumeSockets(_ states: inout [(LaunchID, KeeperState)]) {
        let noted = Set(SocketRecord.numbers(in: run.sockets))
        states.removeAll { launch, state in
            guard noted.contains(launch.number), let end = state.heldReadEnds.first?.take(),
                let socket = SocketRecord.load(launch.number, HeldDescriptor(end), from: run.sockets)
            else { return false }
            sockets.append(socket)
            return true
        }
        sockets.sort { $0.number < $1.number }
    }

    /// What is on record and the keeper does not hold, as it is another one: a service that lives on still has it.
    func findLostSockets() {
        for number in SocketRecord.numbers(in: run.sockets) where !sockets.contains(where: { $0.number == number }) {
            let former = SocketRecord.load(number, from: run.sockets)
            SocketRecord.remove(number, from: run.sockets)
            guard let former else { continue }
            // After a boot the number is another's.
            guard !isNewBoot, let copy = ListeningSocket.copy(of: former.inode) else {
                if ListeningSocket.isStale(former.spec.listen.text) { unlinkFile(of: former) }
                continue
            }
            let socket = HeldSocket(
                number: takeOwnNumber(), service: former.service, spec: former.spec, descriptor: HeldDescriptor(copy),
                inode: former.inode, file: former.file)
            do {
                try hold(socket)
                sockets.append(socket)
            } catch { outbox.append(.remarked(error.fault(step: "keep open", subject: socket.spec.listen.text).text)) }
        }
    }

    private func hold(_ socket: HeldSocket) throws(SystemError) {
        try SocketRecord.save(socket, in: run.sockets)
        Failpoint.socketNoted.reach()
        try keeper.hold(socket.number, socket.descriptor.number)
        Failpoint.socketHeld.reach()
    }

    /// For `Recovery`, sorted.
    var socketsByService: [OpenSockets] {
        var found: [OpenSockets] = []
        for socket in sockets {
            if let place = found.firstIndex(where: { $0.service == socket.service }) {
                found[place].sockets.append(socket.spec)
            } else {
                found.append(OpenSockets(socket.service, [socket.spec]))
            }
        }
        return found
    }

    func closeAllSockets() { for socket in sockets { close(socket) } }

    private func open(_ spec: SocketSpec, for service: ServiceID, _ account: Account?) throws(Obstacle) -> HeldSocket {
        if let other = socketHolder(of: spec.listen) {
            throw Obstacle(ListeningSocket.taken(spec.listen, byService: other))
        }
        let descriptor: HeldDescriptor
        do { descriptor = HeldDescriptor(try ListeningSocket.open(spec.listen)) } catch { throw obstacle(error, spec) }
        var file: FileIdentity?
        if case .file(let path) = spec.listen {
            file = FileIdentity(socketAt: path)
            do { try ListeningSocket.dress(path, nil, mode: spec.mode, owner: account) } catch {
                _ = unsafe unlink(path)
                throw obstacle(error, spec)
            }
        }
        let socket = HeldSocket(
            number: takeOwnNumber(), service: service, spec: spec, descriptor: descriptor,
            inode: ListeningSocket.inode(of: descriptor.number), file: file)
        do { try hold(socket) } catch {
            unlinkFile(of: socket)
            SocketRecord.remove(socket.number, from: run.sockets)
            throw Obstacle(
                error.fault(step: "record the socket in", subject: run.sockets, remedy: "free space there"),
                isScarcity: true)
        }
        sockets.append(socket)
        return socket
    }

    /// The one that is open: its name and its file's mode may have changed.
    private func keepOpen(_ place: Int, as spec: SocketSpec, _ account: Account?) throws(Obstacle) -> HeldSocket {
        if case .file(let path) = spec.listen, let file = sockets[place].file {
            // Without its file nobody finds it: somebody has removed it.
            guard FileIdentity(socketAt: path) == file else {
                let service = sockets[place].service
                close(sockets[place])
                return try open(spec, for: service, account)
            }
            do { try ListeningSocket.dress(path, file, mode: spec.mode, owner: account) } catch {
                throw obstacle(error, spec)
            }
        }
        guard sockets[place].spec != spec else { return sockets[place] }
        sockets[place].spec = spec
        record(sockets[place])
        return sockets[place]
    }

    /// What the next daemon reads is as good as what it was before.
    private func record(_ socket: HeldSocket) {
        do { try SocketRecord.save(socket, in: run.sockets) } catch {
            outbox.append(.remarked(error.fault(step: "record the socket in", subject: run.sockets).text))
        }
    }

    private func close(_ socket: HeldSocket) {
        unlinkFile(of: socket)
        Failpoint.socketUnlinked.reach()
        do { try keeper.acknowledge(socket.number) } catch {
            outbox.append(.remarked(error.fault(step: "close", subject: socket.spec.listen.text).text))
        }
        SocketRecord.remove(socket.number, from: run.sockets)
        sockets.removeAll { $0.number == socket.number }
    }

    private func unlinkFile(of socket: HeldSocket) {
        guard case .file(let path) = socket.spec.listen, let file = socket.file, FileIdentity(socketAt: path) == file
        else { return }
        _ = unsafe unlink(path)
    }

    private static func block(_ socket: Int32) {
        let flags = fcntl(socket, F_GETFL)
        if flags >= 0, flags & O_NONBLOCK != 0 { _ = fcntl(socket, F_SETFL, flags & ~O_NONBLOCK) }
    }

    private func obstacle(_ error: SystemError, _ spec: SocketSpec) -> Obstacle {
        Obstacle(
            ListeningSocket.fault(error.code, at: spec.listen, service: serviceName),
            isScarcity: Reason.isScarcity(error.code))
    }

    /// For people, of a process of ours.
    func serviceName(of pid: Int32) -> String? {
        owner(of: pid)?.context.map { "\($0.instance.service.stack)/\($0.label)" }
    }
}
