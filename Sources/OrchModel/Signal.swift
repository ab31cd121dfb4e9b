// SPDX-License-Identifier: Apache-2.0

/// A signal by its Linux number (signal(7); the numbers are the same on x86-64 and arm64).
public struct Signal: Hashable, Sendable {
    public var number: Int32
    public init(number: Int32) { self.number = number }

    public static let hangup = Signal(number: 1)
    public static let interrupt = Signal(number: 2)
    public static let kill = Signal(number: 9)
    public static let terminate = Signal(number: 15)

    private static let names: [(String, Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("BUS", 7), ("FPE", 8), ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15), ("STKFLT", 16), ("CHLD", 17),
        ("CONT", 18), ("STOP", 19),
        ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27),
        ("WINCH", 28),
        ("IO", 29), ("PWR", 30), ("SYS", 31), ("IOT", 6), ("POLL", 29), ("CLD", 17),
    ]

    /// Every name, for suggestions.
    public static var allNames: [String] { names.map { "SIG\($0.0)" } }

    /// Reads `SIGTERM`, `TERM`, a number from 1 to 64, or `SIG` and such a number. Nil for anything else.
    public init?(text: String) {
        if let number = Int32(text) {
            guard (1...64).contains(number) else { return nil }
            self.init(number: number)
            return
        }
        let upper = text.uppercased()
        let bare = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        if let entry = Self.names.first(where: { $0.0 == bare }) {
            self.init(number: entry.1)
            return
        }
        if let number = Int32(bare), (1...64).contains(number) {
            self.init(number: number)
            return
        }
        if bare.hasPrefix("RTMIN+"), let step = Int32(bare.dropFirst(6)), (0...30).contains(step) {
            self.init(number: 34 + step)
            return
        }
        return nil
    }

    /// `SIGTERM`; `SIGRTMIN+3` for the real-time ones.
    public var name: String {
        if let entry = Self.names.first(where: { $0.1 == number }) { return "SIG" + entry.0 }
        return number >= 34 ? "SIGRTMIN+\(number - 34)" : "SIG\(number)"
    }
}
