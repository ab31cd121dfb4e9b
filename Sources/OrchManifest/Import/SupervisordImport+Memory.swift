// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// superlance's memmon, which restarts programs that use too much memory (`memmon -p web=200MB -a 1GB`).
extension SupervisordImport {
    struct MemoryLimit {
        /// Nil is every program.
        var program: String?
        var size: String
        var position: Position
    }

    /// Nil when the listener is another one, or says what can't be carried over.
    static func memoryLimits(_ section: ConfigSection) -> [MemoryLimit]? {
        guard let entry = section["command"], let words = ShellText.words(entry.value), let first = words.first,
            LexicalPath.lastPart(of: first) == "memmon"
        else { return nil }
        var limits: [MemoryLimit] = []
        var rest = words.dropFirst()
        while let option = rest.popFirst() {
            guard let value = rest.popFirst() else { return nil }
            let parts = value.split(separator: "=", maxSplits: 1).map(String.init)
            switch (option, parts.count) {
            case ("-p", 2), ("--program", 2):
                limits.append(MemoryLimit(program: parts[0], size: SizeUnit.docker(parts[1]), position: entry.position))
            case ("-a", 1), ("--any", 1):
                limits.append(MemoryLimit(program: nil, size: SizeUnit.docker(value), position: entry.position))
            // Whom it writes to about it.
            case ("-m", _), ("--email", _), ("-s", _), ("--sendmail_program", _): break
            default: return nil
            }
        }
        return limits
    }

    func resources(of program: Program) -> [DraftEntry] {
        let own = memoryLimits.first { $0.program == program.wanted }
        guard let limit = own ?? memoryLimits.first(where: { $0.program == nil }) else { return [] }
        let terms = [DraftEntry("memory", .string(limit.size), at: limit.position), DraftEntry("on_exceed", "restart")]
        var entry = DraftEntry("resources", .map(terms), at: limit.position)
        entry.remarks = ["As memmon did."]
        return [entry]
    }
}
