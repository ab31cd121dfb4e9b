// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import OrchWire

/// The thread of `Terminals`. It never waits for a terminal, a service or a client: what one does not take stays where it comes from.
final class TerminalLoop {
    /// One launch.
    private final class Place {
        let launch: LaunchID
        let seat: Terminals.Seat
        /// Nothing may come any more, but what is there.
        var isFinishing = false
        /// When it is given up, though others keep the terminal open.
        var finishBy: Instant?
        init(_ launch: LaunchID, _ seat: Terminals.Seat) {
            self.launch = launch
            self.seat = seat
        }
    }
    private enum Source { case place(LaunchID), attacher(UInt64) }

    private let post: Terminals
    private let epoll: HeldDescriptor
    private let listener: HeldDescriptor
    private var places: [LaunchID: Place] = [:]
    private var attachers: [UInt64: Attacher] = [:]
    /// By the numbers that the kernel gives back.
    private var sources: [UInt64: Source] = [:]
    private var lastNumber: UInt64 = 1
    /// There may be more to move without a word of the kernel's.
    private var unfinished: Set<LaunchID> = []
    private static let (orders, connections): (UInt64, UInt64) = (0, 1)

    /// What a thread needs before it can be one.
    struct Means: Sendable {
        let epoll: HeldDescriptor
        let listener: HeldDescriptor

        init(_ post: Terminals) throws(SystemError) {
            epoll = HeldDescriptor(try Descriptor("epoll_create1", corch_epoll_create()))
            listener = HeldDescriptor(try Descriptor("listen", unsafe corch_packet_listen(post.path, 64)))
            for (number, event) in [(post.orderDescriptor, orders), (listener.number, connections)] {
                try Syscall.check(
                    "epoll_ctl", corch_epoll_ctl(epoll.number, EPOLL_CTL_ADD, number, EPOLLIN.rawValue, event))
            }
        }
    }

    init(_ post: Terminals, _ means: Means) {
        self.post = post
        epoll = means.epoll
        listener = means.listener
    }

    func run() {
        while true {
            let events = wait()
            guard let orders = post.takeOrders() else { return }
            for order in orders { obey(order) }
            for number in events {
                if number == Self.connections { accept() }
                switch sources[number] {
                case .place(let launch): unfinished.insert(launch)
                case .attacher(let number): hear(number)
                case nil: break
                }
            }
            for launch in unfinished { attend(launch) }
            giveUp()
        }
    }

    private func wait() -> [UInt64] {
        let now = Clock.now.instant
        let due = places.values.compactMap(\.finishBy).min().map { max(0, ($0 - now).nanoseconds) } ?? -1
        let timeout = unfinished.isEmpty ? due : 0
        return unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { room in
            let count = unsafe corch_epoll_wait_ns(epoll.number, room.baseAddress, Int32(room.count), timeout)
            return unsafe room.prefix(Int(max(0, count))).map { unsafe $0.data.u64 }
        }
    }

    private func watch(_ descriptor: Int32, _ events: UInt32, _ number: UInt64) throws(SystemError) {
        try Syscall.check("epoll_ctl", corch_epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor, events, number))
    }

    private func nextNumber(_ source: Source) -> UInt64 {
        lastNumber += 1
        sources[lastNumber] = source
        return lastNumber
    }

    // MARK: Launches

    private func obey(_ order: Terminals.Order) {
        switch order {
        case .add(let launch, let seat):
            places[launch] = Place(launch, seat)
            // What comes and goes at once wakes: each is looked at until it gives and takes nothing more.
            let number = nextNumber(.place(launch))
            let both = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue
            do throws(SystemError) {
                for end in [seat.terminal, seat.log, seat.input].compactMap(\.self) {
                    try watch(end.number, both, number)
                }
            } catch {
                let fault = error.fault(
                    step: "watch", subject: "the terminal or standard input of launch \(launch.number)",
                    remedy: Self.remedy + ", then restart it")
                post.pump.remark(fault.text)
            }
            unfinished.insert(launch)
        case .finish(let launch):
            guard let place = places[launch] else { return post.pump.finish(launch) }
            place.isFinishing = true
            place.finishBy = Clock.now.instant + Limits.logDrainWait
            unfinished.insert(launch)
        }
    }

    /// Output goes on, then input.
    private func attend(_ launch: LaunchID) {
        unfinished.remove(launch)
        guard let place = places[launch] else { return }
        switch relay(place) {
        case .more: unfinished.insert(launch)
        case .none: break
        case .full: if place.isFinishing { place.finishBy = Clock.now.instant + Limits.logDrainWait }
        case .hungUp: if place.isFinishing { return conclude(place) }
        }
        for attacher in attachers.values where attacher.launch == launch && !attacher.waiting.isEmpty {
            pass(attacher, to: place)
        }
    }

    private enum Relayed { case more, none, full, hungUp }

    private func relay(_ place: Place) -> Relayed {
        guard let terminal = place.seat.terminal, let log = place.seat.log else { return .hungUp }
        for _ in 0..<16 {
            let moved = corch_splice(terminal.number, log.number, 65_536, CORCH_SPLICE_NONBLOCK)
            if moved > 0 { continue }
            if moved == Int64(-EAGAIN) { return corch_bytes_readable(terminal.number) > 0 ? .full : .none }
            // EIO: nobody has it open any more (pty(7)).
            guard moved == Int64(-EINVAL) else { return .hungUp }
            let copied = copy(from: terminal.number, to: log.number)
            guard copied == .more else { return copied }
        }
        return .more
    }

    /// Where terminals can't splice (Linux 5.10): a daemon that is killed between the two calls loses as much.
    private func copy(from terminal: Int32, to log: Int32) -> Relayed {
        var room = pollfd(fd: log, events: Int16(POLLOUT), revents: 0)
        var bytes = [UInt8](repeating: 0, count: Int(PIPE_BUF))
        guard unsafe poll(&room, 1, 0) == 1, room.revents & Int16(POLLOUT) != 0 else { return .full }
        let count = unsafe read(terminal, &bytes, bytes.count)
        guard count > 0 else { return count < 0 && errno == EAGAIN ? .none : .hungUp }
        // Whole: so much room there is, and nobody else writes to it (pipe(7)).
        return unsafe write(log, bytes, count) == count ? .more : .hungUp
    }

    /// What can't go on as its log can't be written is waited for.
    private func giveUp() {
        let now = Clock.now.instant
        for place in places.values where place.finishBy.map({ $0 <= now }) ?? false {
            switch relay(place) {
            case .full, .more: place.finishBy = now + Limits.logDrainWait
            case .none, .hungUp: conclude(place)
            }
        }
    }

    /// The end of its log pipe is closed with it, which ends that.
    private func conclude(_ place: Place) {
        places[place.launch] = nil
        sources = sources.filter { if case .place(place.launch) = $0.value { false } else { true } }
        for end in [place.seat.terminal, place.seat.log, place.seat.input].compactMap(\.self) {
            _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_DEL, end.number, 0, 0)
        }
        for attacher in attachers.values where attacher.launch == place.launch { forget(attacher) }
        post.pump.finish(place.launch)
    }

    // MARK: Those who are attached

    private func accept() {
        while true {
            let accepted = corch_accept(listener.number)
            guard accepted >= 0 else { return }
            let socket = HeldDescriptor(Descriptor(owning: accepted))
            var (pid, uid, gid): (Int32, UInt32, UInt32) = (0, 0, 0)
            guard unsafe corch_peer_credentials(accepted, &pid, &uid, &gid) == 0, uid == getuid() || uid == 0 else {
                continue
            }
            let number = nextNumber(.attacher(lastNumber + 1))
            let attacher = Attacher(number, socket)
            attachers[number] = attacher
            listen(to: attacher)
        }
    }

    /// From now on it is heard.
    private func listen(to attacher: Attacher) {
        do { try watch(attacher.socket.number, EPOLLIN.rawValue, attacher.number) } catch {
            attacher.send(
                .refused(reason: "the daemon can't listen to it: \(Reason.text(error.code))", remedy: Self.remedy))
            forget(attacher)
        }
    }

    /// epoll(7): what a user may have watched in all is limited.
    private static let remedy = "raise the limit: `sysctl fs.epoll.max_user_watches`"

    private func forget(_ attacher: Attacher) {
        _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_DEL, attacher.socket.number, 0, 0)
        attachers[attacher.number] = nil
        sources[attacher.number] = nil
    }

    /// What somebody says, while nothing of theirs waits.
    private func hear(_ number: UInt64) {
        guard let attacher = attachers[number], attacher.waiting.isEmpty else { return }
        switch attacher.receive() {
        case .nothing: break
        case .packet(let packet): obey(packet, of: attacher)
        case .end:
            // All that they said has been passed on. The pump may have a copy of the socket.
            _ = shutdown(attacher.socket.number, Int32(SHUT_RDWR))
            forget(attacher)
        }
    }

    private func obey(_ packet: AttachPacket?, of attacher: Attacher) {
        let place = attacher.launch.flatMap { places[$0] }
        switch packet {
        case .hello(let launch, let size):
            guard let place = admit(attacher, to: launch) else { return forget(attacher) }
            if let size { resize(place, size) }
        case .input(let bytes):
            guard let place else { return }
            attacher.waiting = bytes
            pass(attacher, to: place)
        case .resized(let size): if let place { resize(place, size) }
        case .accepted, .refused, .begin, .output, .missed, nil:
            attacher.send(
                .refused(
                    reason: "it does not understand what this `orch` says",
                    remedy: "`orch daemon upgrade` puts this version in its place; services run on"))
            forget(attacher)
        }
    }

    private func resize(_ place: Place, _ size: TerminalSize) {
        guard let terminal = place.seat.terminal else { return }
        _ = corch_terminal_resize(terminal.number, UInt16(clamping: size.rows), UInt16(clamping: size.columns))
    }

    private func admit(_ attacher: Attacher, to launch: LaunchID) -> Place? {
        guard attacher.launch == nil, let place = places[launch], !place.isFinishing else {
            attacher.send(
                .refused(
                    reason: "it has neither a terminal nor a standard input that is kept open",
                    remedy: "give it `tty: true`, or `stdin: open` for one that reads lines"))
            return nil
        }
        guard attachers.values.count(where: { $0.launch == launch }) < Limits.attachers else {
            attacher.send(
                .refused(
                    reason: "\(Limits.attachers) terminals are attached to it already",
                    remedy: "detach one of them: ctrl-p ctrl-q"))
            return nil
        }
        guard place.seat.terminal != nil || place.seat.input != nil else {
            attacher.send(
                .refused(
                    reason: "it does not read the pipe any more that it was given as standard input",
                    remedy: "`orch restart` gives it a new one"))
            return nil
        }
        attacher.launch = launch
        attacher.send(.accepted(hasTerminal: place.seat.terminal != nil))
        post.pump.show(launch, to: attacher.socket)
        return place
    }

    /// Nothing more of theirs is read while something waits.
    private func pass(_ attacher: Attacher, to place: Place) {
        let wasWaiting = attacher.isHeld
        if let end = place.seat.terminal ?? place.seat.input {
            attacher.pass(to: end.number)
        } else {
            attacher.waiting = []
        }
        attacher.isHeld = !attacher.waiting.isEmpty
        guard attacher.isHeld != wasWaiting else { return }
        if attacher.isHeld {
            _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_DEL, attacher.socket.number, 0, 0)
        } else {
            listen(to: attacher)
        }
    }
}
