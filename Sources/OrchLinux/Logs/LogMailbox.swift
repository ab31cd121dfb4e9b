// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// What lies between the daemon's loop and one of the pump's threads: the requests, with an eventfd(2) that is readable while there are any, the way
/// back, and what the thread is busy with.
final class LogMailbox: Sendable {
    private struct Requests {
        var waiting: [LogRequest] = []
        var areHeld = false
    }

    private let requests = Mutex(Requests())
    let requestSignal: Descriptor
    private let lane: Int
    private let notices: LogNotices
    let pulse: PumpPulse
    /// Readable once the thread is over.
    let endSignal: Descriptor

    init(_ lane: Int, _ notices: LogNotices) throws(SystemError) {
        self.lane = lane
        self.notices = notices
        requestSignal = try Descriptor("eventfd", corch_eventfd(0))
        endSignal = try Descriptor("eventfd", corch_eventfd(0))
        pulse = try PumpPulse()
        try notices.watch(pulse.alarm)
    }

    deinit {
        // Requests that no thread took still own their descriptors.
        for case .attach(_, _, let descriptor, _, _, _) in takeRequests() { _ = Descriptor(owning: descriptor) }
    }

    /// Whoever makes the queue one of some wakes the thread: what comes before it looks is seen with it.
    func send(_ request: LogRequest) {
        let wakes = requests.withLock { requests in
            requests.waiting.append(request)
            return requests.waiting.count == 1 && !requests.areHeld
        }
        if wakes { Self.raise(requestSignal.number) }
    }

    /// Requests wake nobody until `begin`.
    func hold() { requests.withLock { $0.areHeld = true } }

    func begin() {
        let wakes = requests.withLock { requests in
            requests.areHeld = false
            return !requests.waiting.isEmpty
        }
        if wakes { Self.raise(requestSignal.number) }
    }

    func takeRequests() -> [LogRequest] {
        Self.clear(requestSignal.number)
        return requests.withLock { requests in
            defer { requests.waiting.removeAll() }
            return requests.waiting
        }
    }

    func post(_ notice: LogNotice) { notices.post(.said(notice), from: lane) }

    /// The other end takes over the descriptor.
    func handOver(_ launch: LaunchID, _ stream: LogStreamKind?, descriptor: Int32) {
        notices.post(.handedOver(launch, stream, descriptor: descriptor), from: lane)
    }

    static func raise(_ signal: Int32) {
        var one: UInt64 = 1
        _ = unsafe write(signal, &one, 8)
    }

    static func clear(_ signal: Int32) {
        var count: UInt64 = 0
        _ = unsafe read(signal, &count, 8)
    }
}
