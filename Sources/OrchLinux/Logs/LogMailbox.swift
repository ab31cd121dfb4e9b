// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// What lies between the daemon's loop and one of the pump's threads: the requests, with an eventfd(2) that is readable while there are any, the way
/// back, and what the thread is busy with.
final class LogMailbox: Sendable {
    private let requests = Mutex<[LogRequest]>([])
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
        for case .attach(_, _, let descriptor, _, _) in takeRequests() { _ = Descriptor(owning: descriptor) }
    }

    func send(_ request: LogRequest) {
        requests.withLock { $0.append(request) }
        Self.raise(requestSignal.number)
    }

    func takeRequests() -> [LogRequest] {
        Self.clear(requestSignal.number)
        return requests.withLock { queue in
            defer { queue.removeAll() }
            return queue
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
