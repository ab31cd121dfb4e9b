// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What the shell is told; the numbers are a contract (docs/commands.md). `up` may end with any that a service ended with.
public struct ExitCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let success = ExitCode(rawValue: 0)
    public static let failed = ExitCode(rawValue: 1)
    /// `diff` found changes.
    public static let changes = ExitCode(rawValue: 2)
    /// The manifest is wrong.
    public static let manifest = ExitCode(rawValue: 3)
    /// There is no daemon, or it could not be started.
    public static let daemon = ExitCode(rawValue: 4)
    /// Permission, conflict, lock.
    public static let refused = ExitCode(rawValue: 5)
    /// EX_USAGE of sysexits(3).
    public static let usage = ExitCode(rawValue: 64)
    /// A wait's deadline passed; timeout(1) uses the same.
    public static let deadline = ExitCode(rawValue: 124)
    /// 128 + SIGINT.
    public static let interrupted = ExitCode(rawValue: 130)

    /// As a shell has it: the code, or 128 and the signal's number; 1 when neither is known.
    init(_ exit: Exit?) {
        switch exit {
        case .code(let code): self.init(rawValue: code)
        case .signal(let signal, _): self.init(rawValue: 128 + signal.number)
        case .unknown, nil: self = .failed
        }
    }
}

/// Why a command ends without having done what was asked: the thing, the fact, the reason, and the remedy.
public struct Failure: Error, Equatable, Sendable {
    public var exit: ExitCode
    /// Empty: everything was said already.
    public var message: String
    public var help: String?

    public init(_ exit: ExitCode, _ message: String = "", help: String? = nil) {
        self.exit = exit
        self.message = message
        self.help = help
    }

    init(_ refusal: Refusal) {
        let exit: ExitCode =
            switch refusal.kind {
            case .permission, .conflict, .version, .limit: .refused
            case .unknown, .malformed, .failed: .failed
            }
        self.init(exit, refusal.message, help: refusal.remedy)
    }

    init(_ exit: ExitCode, _ fault: Fault) {
        self.init(exit, Fault(step: fault.step, subject: fault.subject, reason: fault.reason).text, help: fault.remedy)
    }

    /// Ended by Ctrl-C, with nothing more to say.
    static let interrupted = Failure(.interrupted)
}
