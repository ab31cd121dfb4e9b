// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc

/// Tells when the clock on the wall was set, or the machine woke up: a timer that never comes, cancelled by either
/// (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET, Linux 3.0). While nothing of the kind happens it costs nothing.
final class ClockWatch {
    let descriptor: Descriptor
    /// In the year 2200, in nanoseconds since 1970.
    private static let never: Int64 = 7_258_118_400_000_000_000

    init() throws(SystemError) {
        descriptor = try Descriptor("timerfd_create", corch_timerfd(CLOCK_REALTIME))
        try arm()
    }

    /// Whether it was; armed anew. A read of a cancelled timer gives ECANCELED.
    func wasSet() -> Bool {
        var expirations: UInt64 = 0
        let count = unsafe read(descriptor.number, &expirations, MemoryLayout<UInt64>.size)
        let isCancelled = count < 0 && errno == ECANCELED
        if isCancelled { try? arm() }
        return isCancelled
    }

    private func arm() throws(SystemError) {
        try Syscall.check("timerfd_settime", corch_timerfd_set(descriptor.number, Self.never, 0, 1))
    }
}
