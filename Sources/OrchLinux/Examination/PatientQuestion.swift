// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// A question that may never be answered, such as one to a file system whose server is gone: it is asked by a thread of its own, which
/// is left behind when it takes too long. A thread that waits in the kernel ends with the program at the latest.
enum PatientQuestion {
    enum Outcome<Answer> {
        case came(Answer)
        case late
    }

    static func ask<Answer: Sendable>(
        within patience: Duration, _ question: @escaping @Sendable () -> Answer
    ) -> Outcome<Answer> {
        let slip = Slip<Answer>()
        guard slip.isUsable else { return .came(question()) }
        let errand = Errand {
            slip.put(question())
        }
        guard errand.start() else { return .came(question()) }
        return slip.take(within: patience).map { .came($0) } ?? .late
    }

    /// What the thread has to do.
    private final class Errand: Sendable {
        private let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }

        /// False when there is no thread to be had.
        func start() -> Bool {
            var thread = pthread_t()
            let own = unsafe Unmanaged.passRetained(self)
            let failed = unsafe pthread_create(
                &thread, nil,
                { own in
                    if let own = unsafe own { unsafe Unmanaged<Errand>.fromOpaque(own).takeRetainedValue().work() }
                    return nil
                }, own.toOpaque())
            guard failed == 0 else {
                unsafe own.release()
                return false
            }
            pthread_detach(thread)
            return true
        }
    }

    /// Where the answer is left; the event counter says that it is there.
    private final class Slip<Answer: Sendable>: Sendable {
        private let answer = Mutex<Answer?>(nil)
        private let event = corch_eventfd(0)
        var isUsable: Bool { event >= 0 }

        deinit { if event >= 0 { close(event) } }

        func put(_ value: Answer) {
            answer.withLock { $0 = value }
            var one: UInt64 = 1
            _ = unsafe write(event, &one, 8)
        }

        func take(within patience: Duration) -> Answer? {
            let deadline = Clock.now.instant + patience
            while true {
                var waiting = pollfd(fd: event, events: Int16(POLLIN), revents: 0)
                let left = (deadline - Clock.now.instant).nanoseconds
                guard left > 0 else { return nil }
                if unsafe poll(&waiting, 1, Int32(clamping: left / 1_000_000 + 1)) > 0 {
                    return answer.withLock { $0 }
                }
            }
        }
    }
}
