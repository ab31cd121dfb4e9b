// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// `reload`: one of the ways to take up what has changed. `spec` is as far as it was read.
    func reload(_ node: NodeID, of spec: ServiceSpec, _ reader: HealthReader) -> ReloadSpec? {
        guard let section = section(node, Fields.reload, "reload") else { return nil }
        guard spec.kind == .service else {
            error(
                "misplaced", "\"reload\" is for services, and this is a task", at: node, help: "a task ends by itself")
            return nil
        }
        let isNotify = section["notify"].flatMap { flag($0, "notify") } ?? false
        let ways = ["signal", "command"].filter { section.has($0) } + (isNotify ? ["notify"] : [])
        guard ways.count == 1 else {
            if ways.isEmpty {
                error(
                    "missing", "\"reload\" needs one of signal, command and notify", at: node,
                    help: "such as  reload: { signal: SIGHUP }")
            } else {
                error(
                    "conflict", "\"reload\" has both \"\(ways[0])\" and \"\(ways[1])\"", at: section.key(ways[1]),
                    help: "keep one of them")
            }
            return nil
        }
        let timeout = section["timeout"].flatMap { positive($0, "timeout") } ?? ReloadSpec.standardTimeout
        if let node = section["signal"] {
            if section.has("timeout") {
                warn(
                    "no-effect", "\"timeout\" never takes effect: nobody can tell when a reload by signal is done",
                    at: section.key("timeout"), help: "remove it, or reload by command or notify")
            }
            return signal(node, "signal").map { .signal($0) }
        }
        if let node = section["command"] {
            return command(node, shell: shell(section, reader)).map { .command($0, timeout: timeout) }
        }
        if spec.ready != .notify {
            error(
                "missing", "\"reload\" with notify needs a service that speaks by sd_notify", at: section.key("notify"),
                help: "write  ready: { notify: true }  beside it")
        }
        return .notify(timeout: timeout)
    }
}
