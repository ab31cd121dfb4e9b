// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The keys of `hooks`.
extension Fields {
    static let hooks = FieldTable("hooks", HookKind.allCases.map { Field($0.rawValue, .object(hook), $0.meaning) })

    static let hook = FieldTable(
        "a hook",
        [
            Field(
                "command", .either([.text, .list(.text)]),
                "Runs as the service's user, in its working_dir, with its environment and secrets; told by ORCH_HOOK, ORCH_REASON, ORCH_ATTEMPT and, where there is one, ORCH_EXIT_CODE or ORCH_EXIT_SIGNAL and ORCH_MAIN_PID. What it writes is in the service's logs."
            ),
            Field("shell", .list(.text), default: "the service's", "What reads the command when it is a string."),
            Field("timeout", .duration, default: "30s", "When that is over it is killed, with all that it started."),
        ])
}

extension HookKind {
    fileprivate var meaning: String {
        switch self {
        case .preStart: "Before each start; if it fails, so has the start."
        case .postReady: "Once it is ready; nobody waits for it, and a failure is only told."
        case .preStop: "Before the ladder, while its main process lives; a failure does not keep it from being stopped."
        case .postStop: "Once nothing of it is left, however it ended; the next start waits for it, and so does a stop."
        case .onFailed: "When it has become failed."
        }
    }
}
