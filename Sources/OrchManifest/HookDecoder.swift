// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// `hooks`: commands around the life of a service.
extension Decoder {
    func hooks(_ node: NodeID, of kind: ServiceSpec.Kind, _ reader: HealthReader) -> Hooks {
        var hooks = Hooks()
        guard let section = section(node, Fields.hooks, "hooks") else { return hooks }
        for moment in HookKind.allCases {
            guard let place = section[moment.rawValue] else { continue }
            if moment == .postReady, kind == .task {
                warn(
                    "no-effect", "\"post_ready\" never takes effect: a task is never ready",
                    at: section.key(moment.rawValue), help: "what follows a task can be a task that depends on it")
            }
            hooks[moment] = hook(place, moment, reader)
        }
        return hooks
    }

    private func hook(_ node: NodeID, _ moment: HookKind, _ reader: HealthReader) -> Hook? {
        guard let section = section(node, Fields.hook, moment.rawValue) else { return nil }
        guard let place = section["command"] else {
            error(
                "missing", "\"\(moment.rawValue)\" needs a command", at: node,
                help: "such as  \(moment.rawValue): { command: ./prepare.sh, timeout: 30s }")
            return nil
        }
        let timeout = section["timeout"].flatMap { positive($0, "timeout") } ?? Hook.standardTimeout
        return command(place, shell: shell(section, reader)).map { Hook($0, timeout: timeout) }
    }
}
