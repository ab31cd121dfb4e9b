// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// `ready`: one of the ways to say so.
    func ready(_ section: Section) -> ReadySpec? {
        var found: (key: String, spec: ReadySpec)?
        func take(_ key: String, _ spec: ReadySpec) {
            guard let first = found else { return found = (key, spec) }
            error(
                "conflict", "\"ready\" has both \"\(first.key)\" and \"\(key)\"", at: section.key(key),
                help: "keep one of them; a readiness probe may stand beside it")
        }
        if let node = section["notify"], flag(node, "notify") == true { take("notify", .notify) }
        if let node = section["log"], let pattern = pattern(node, "log") { take("log", .log(pattern)) }
        if let node = section["fd"], let number = integer(node, "fd", in: ReadySpec.numbers) { take("fd", .fd(number)) }
        return found?.spec
    }
}
