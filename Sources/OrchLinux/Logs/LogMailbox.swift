// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import Synchronization

/// The two queues between the daemon's loop and the pump's thread, each with an eventfd(2) that is readable while its queue isn't
/// empty.
final class LogMailbox: Sendable {
    private let requests = Mutex<[LogRequest]>([])
    private let notices = Mutex<[LogNotice]>([])
    let requestSignal: Descriptor
    let noticeSignal: Descriptor
    /// Readable once the thread is over.
    let endSignal: Descriptor

    init() throws(SystemError) {
        requestSignal = try Descriptor("eventfd", corch_eventfd(0))
        noticeSignal = try Descriptor("eventfd", corch_eventfd(0))
        endSignal = try Descriptor("eventfd", corch_eventfd(0))
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

    func post(_ notice: LogNotice) {
        notices.withLock { $0.append(notice) }
        Self.raise(noticeSignal.number)
    }

    func takeNotices() -> [LogNotice] {
        Self.clear(noticeSignal.number)
        return notices.withLock { queue in
            defer { queue.removeAll() }
            return queue
        }
    }

    static func raise(_ signal: Int32) {
        var one: UInt64 = 1
        _ = unsafe write(signal, &one, 8)
    }

    private static func clear(_ signal: Int32) {
        var count: UInt64 = 0
        _ = unsafe read(signal, &count, 8)
    }
}
