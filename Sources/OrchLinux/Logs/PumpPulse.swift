// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel
internal import Synchronization

/// Which file the pump's thread is busy with and since when, for others to see: it can't say itself that it hangs in a file system.
///
/// The alarm goes off only if the thread is still busy some time after it began; it is off while the thread rests, so nobody is woken for
/// logs that nobody writes. Where logs never rest it is set again when somebody has looked, not for each turn.
final class PumpPulse: Sendable {
    /// It has been busy with one file for `Limits.logHangTold` or longer.
    struct Stall: Equatable {
        var file: String
        var since: Instant
    }

    private struct State {
        /// Nil: it rests.
        var file: String?
        var since = Instant.zero
        /// Somebody was told that it hangs; the end is to be told, too.
        var isTold = false
        /// When the alarm goes off; nil while it is off.
        var alarmAt: Instant?
        var silencedAt = Instant.zero
    }

    private let state = Mutex(State())
    /// Readable once it is time to `look`.
    let alarm: Descriptor
    /// An alarm that is set and taken back more often stays set instead: nobody is to pay for each line.
    private static let silence = Duration.milliseconds(10)

    init() throws(SystemError) { alarm = try Descriptor("timerfd_create", corch_timerfd(CLOCK_MONOTONIC)) }

    // MARK: The pump's thread

    /// It turns to `file`. Returns for how long it hung in another one, if that was told.
    func begin(_ file: String) -> (file: String, waited: Duration)? {
        let now = Self.now
        return state.withLock { state in
            let over = Self.over(&state, at: now)
            state.file = file
            state.since = now
            if state.alarmAt == nil { set(&state, now + Limits.logHangTold) }
            return over
        }
    }

    /// It is back where it looks for something to do.
    func rest() -> (file: String, waited: Duration)? {
        let now = Self.now
        return state.withLock { state in
            let over = Self.over(&state, at: now)
            state.file = nil
            if state.alarmAt != nil, now - state.silencedAt >= Self.silence {
                set(&state, nil)
                state.silencedAt = now
            }
            return over
        }
    }

    private static func over(_ state: inout State, at now: Instant) -> (file: String, waited: Duration)? {
        guard state.isTold, let file = state.file else { return nil }
        state.isTold = false
        return (file, now - state.since)
    }

    // MARK: Everybody else

    /// After the alarm: that it hangs, once.
    func look() -> Stall? {
        let now = Self.now
        return state.withLock { state in
            guard let due = state.alarmAt, due <= now else { return nil }
            guard let file = state.file else {
                set(&state, nil)
                return nil
            }
            let deadline = state.since + Limits.logHangTold
            guard deadline <= now else {
                set(&state, deadline)
                return nil
            }
            // Nobody has to look again: the thread tells when it goes on.
            set(&state, nil)
            state.isTold = true
            return Stall(file: file, since: state.since)
        }
    }

    /// It has nothing to do.
    var isResting: Bool { state.withLock { $0.file == nil } }

    /// Where it hangs at this moment.
    var stall: Stall? {
        let now = Self.now
        return state.withLock { state in
            guard let file = state.file, now - state.since >= Limits.logHangTold else { return nil }
            return Stall(file: file, since: state.since)
        }
    }

    private func set(_ state: inout State, _ time: Instant?) {
        state.alarmAt = time
        _ = corch_timerfd_set(alarm.number, time?.nanoseconds ?? 0, 0, 0)
    }

    private static var now: Instant { Instant(nanoseconds: corch_clock(CLOCK_MONOTONIC)) }
}
