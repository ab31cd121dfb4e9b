// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc

/// What a watched descriptor belongs to; it comes back with each event, so nothing is looked up by descriptor number.
enum Source: Equatable {
    case signals, keeper, listener, notify, groups, edge, logs, clock, readiness, files
    /// A client's socket.
    case client(UInt64)
    /// The connection of a TCP probe.
    case connection(UInt64)
    /// What a probe command prints.
    case output(UInt64)

    /// Eight bits of kind, 56 of number.
    var token: UInt64 {
        switch self {
        case .signals: 0
        case .keeper: 1 << 56
        case .listener: 2 << 56
        case .notify: 3 << 56
        case .groups: 4 << 56
        case .edge: 5 << 56
        case .logs: 6 << 56
        case .client(let number): 7 << 56 | number
        case .connection(let number): 8 << 56 | number
        case .output(let number): 9 << 56 | number
        case .clock: 10 << 56
        case .readiness: 11 << 56
        case .files: 12 << 56
        }
    }

    init?(token: UInt64) {
        let number = token & (1 << 56 - 1)
        switch token >> 56 {
        case 0: self = .signals
        case 1: self = .keeper
        case 2: self = .listener
        case 3: self = .notify
        case 4: self = .groups
        case 5: self = .edge
        case 6: self = .logs
        case 7: self = .client(number)
        case 8: self = .connection(number)
        case 9: self = .output(number)
        case 10: self = .clock
        case 11: self = .readiness
        case 12: self = .files
        default: return nil
        }
    }
}

/// The one place that blocks: `epoll(7)`, level-triggered.
@safe struct Poller: ~Copyable {
    /// What happened at a descriptor.
    struct Ready {
        var source: Source
        var isReadable: Bool
        var isWritable: Bool
        /// The other side is gone, or the descriptor is in error; there may still be something to read.
        var isHungUp: Bool
    }
    /// What one is waited for; hang-ups come in any case.
    struct Interest: OptionSet {
        var rawValue: UInt32
        static let reading = Interest(rawValue: EPOLLIN.rawValue)
        static let writing = Interest(rawValue: EPOLLOUT.rawValue)
    }

    private let epoll: Descriptor
    private var events = unsafe [epoll_event](repeating: epoll_event(), count: 128)

    init() throws(SystemError) {
        epoll = try Descriptor("epoll_create1", corch_epoll_create())
    }

    func watch(_ fd: Int32, _ interest: Interest, as source: Source) throws(SystemError) {
        try Syscall.check(
            "epoll_ctl", corch_epoll_ctl(epoll.number, EPOLL_CTL_ADD, fd, interest.rawValue, source.token))
    }

    /// Changes what is waited for at a watched descriptor.
    func change(_ fd: Int32, _ interest: Interest, as source: Source) {
        _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_MOD, fd, interest.rawValue, source.token)
    }

    /// Before it is closed: a copy elsewhere would keep it registered.
    func forget(_ fd: Int32) {
        _ = corch_epoll_ctl(epoll.number, EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// Blocks up to `nanoseconds` (nil: without end). Returns early with nothing when a signal interrupts.
    mutating func wait(nanoseconds: Int64?) -> [Ready] {
        let capacity = unsafe Int32(events.count)
        let count = unsafe events.withUnsafeMutableBufferPointer { buffer in
            unsafe corch_epoll_wait_ns(epoll.number, buffer.baseAddress, capacity, nanoseconds ?? -1)
        }
        var ready: [Ready] = []
        for index in 0..<max(0, Int(count)) {
            let (bits, token) = unsafe (events[index].events, events[index].data.u64)
            guard let source = Source(token: token) else { continue }
            ready.append(
                Ready(
                    source: source, isReadable: bits & EPOLLIN.rawValue != 0, isWritable: bits & EPOLLOUT.rawValue != 0,
                    isHungUp: bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue) != 0))
        }
        return ready
    }
}
