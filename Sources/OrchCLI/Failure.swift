// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What the shell is told; the numbers are a contract (docs/commands.md).
public enum ExitCode: Int32, Sendable, CaseIterable {
    case success = 0
    case failed = 1
    /// `diff` found changes.
    case changes = 2
    /// The manifest is wrong.
    case manifest = 3
    /// There is no daemon, or it could not be started.
    case daemon = 4
    /// Permission, conflict, lock.
    case refused = 5
    /// EX_USAGE of sysexits(3).
    case usage = 64
    /// A wait's deadline passed; timeout(1) uses the same.
    case deadline = 124
    /// 128 + SIGINT.
    case interrupted = 130
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
