// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
public import OrchModel

/// The machine's clocks (`clock_gettime(2)`); the only place that reads them.
public enum Clock {
    /// The clocks, read one after the other.
    public static var now: Moment {
        let instant = corch_clock(CLOCK_MONOTONIC)
        let slept = corch_clock(CLOCK_BOOTTIME) - instant
        // Between the two readings a little time passes; nobody sleeps so shortly.
        return Moment(
            instant: Instant(nanoseconds: instant), wall: WallTime(nanoseconds: corch_clock(CLOCK_REALTIME)),
            slept: slept < 1_000_000 ? .zero : .nanoseconds(slept))
    }

    /// The identity of this boot, `random(4)`, as 32 hexadecimal digits; nil when the kernel does not tell.
    public static func bootIdentity() -> String? {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard unsafe corch_boot_id(&bytes) == 0 else { return nil }
        return Text.hexadecimal(bytes)
    }

    /// A number that nobody can guess, `getrandom(2)`.
    public static func entropy() -> UInt64 {
        var number: UInt64 = 0
        _ = unsafe withUnsafeMutableBytes(of: &number) { unsafe corch_random($0.baseAddress, $0.count) }
        return number
    }
}
