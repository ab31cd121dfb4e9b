// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// Signals to the daemon as something to read (`signalfd(2)`): TERM, INT and HUP are blocked in every thread and come here.
/// Make it before any other thread exists: threads inherit the mask.
struct SignalSource: ~Copyable {
    let descriptor: Descriptor
    private static let wanted: [Signal] = [.terminate, .interrupt, .hangup]

    init() throws(SystemError) {
        var set: UInt64 = 0
        for signal in Self.wanted { set |= 1 << UInt64(signal.number - 1) }
        try Syscall.check("sigprocmask", corch_block_signals(set))
        descriptor = try Descriptor("signalfd", corch_signalfd(set))
    }

    /// The signals that came since the last call.
    func receive() -> [Signal] {
        var signals: [Signal] = []
        var one = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while unsafe read(descriptor.number, &one, size) == size {
            signals.append(Signal(number: Int32(one.ssi_signo)))
        }
        return signals
    }
}
