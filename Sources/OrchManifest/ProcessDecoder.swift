// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What the kernel gives its processes: `group_add` to `security`.
extension Decoder {
    func process(_ section: Section) -> ProcessSpec {
        var spec = ProcessSpec()
        if let node = section["group_add"] { spec.groupAdd = groups(node) }
        if let node = section["umask"], let mask = fileMode(node, "umask", such: "0022 or 0077") { spec.umask = mask }
        if let node = section["nice"] { spec.nice = integer(node, "nice", in: -20...19) }
        if let node = section["io_class"] { spec.ioClass = ioClass(node) }
        if let node = section["cpu_affinity"] { spec.cpuAffinity = cpus(node) }
        if let node = section["ulimits"] { spec.ulimits = ulimits(node) }
        if let node = section["security"] { security(node, into: &spec) }
        if let node = section["tty"] { spec.hasTerminal = flag(node, "tty") ?? false }
        if let node = section["stdin"], let text = text(node, "stdin") {
            spec.input = text == "open" ? .open : path(node, "stdin").map { .file($0) }
        }
        if spec.hasTerminal, case .file = spec.input, let node = section["stdin"] {
            error(
                "conflict", "with \"tty\" a service reads its terminal, and not a file", at: node,
                help: "remove stdin, or tty; `< FILE` in a command for the shell opens a file, too")
        }
        return spec
    }

    /// One terminal shows both outputs: they go where `stdout` goes.
    func joinOutputs(of decoded: DecodedService, _ own: NodeID?) {
        guard decoded.spec.process.hasTerminal else { return }
        decoded.spec.logging.stderr = .merge
        guard let own, tree.kind(own) == .mapping, let node = tree.value(own, "stderr"), tree.text(node) != "merge"
        else { return }
        warn(
            "no-effect", "\"stderr\" has no effect: with \"tty\" both outputs are one, and go where stdout goes",
            at: node,
            help: "remove it")
    }

    private func groups(_ node: NodeID) -> [String] {
        guard let items = items(node, "group_add", of: "groups") else { return [] }
        let names = items.compactMap { item -> String? in
            guard let name = text(item, "group_add") else { return nil }
            if name.isEmpty {
                error(
                    "value", "\"group_add\": a group has a name or a number", at: item,
                    help: "remove it, or name one, such as video")
            }
            return name
        }
        return Array(Set(names)).sorted()
    }

    /// Octal, as everybody writes it; `22` would be read as 26 octal by some and is none.
    func fileMode(_ node: NodeID, _ key: String, such example: String) -> UInt32? {
        guard let scalar = scalar(node, key, "an octal number such as \(example)") else { return nil }
        let digits = scalar.text.hasPrefix("0o") ? String(scalar.text.dropFirst(2)) : scalar.text
        if scalar.text.hasPrefix("0"), let mode = UInt32(digits, radix: 8), mode <= 0o777 { return mode }
        let isBare = UInt32(scalar.text, radix: 8).map { $0 <= 0o777 } ?? false
        error(
            "value", "\"\(key)\": \"\(scalar.text)\" is not an octal number from 0000 to 0777", at: node,
            help: isBare ? "did you mean \"0\(scalar.text)\"?" : "such as \(example)")
        return nil
    }

    private func ioClass(_ node: NodeID) -> IOClass? {
        guard let text = text(node, "io_class") else { return nil }
        if let found = IOClass(text: text) { return found }
        let name = text.split(separator: ":").first.map(String.init) ?? text
        let names = IOClass.Name.allCases.map(\.rawValue)
        if names.contains(name) {
            error(
                "value", "\"io_class\": \"\(text)\" has no such level", at: node,
                help: "realtime and best-effort have levels from 0 (first) to 7, such as best-effort:6; idle has none")
        } else {
            badWord(node, "io_class", text, names)
        }
        return nil
    }

    /// A list of numbers and ranges, or one text of them: `0-3,8`.
    private func cpus(_ node: NodeID) -> [Int] {
        let items = tree.kind(node) == .sequence ? Array(tree.slots(node)) : [node]
        var found: Set<Int> = []
        for item in items {
            guard let scalar = scalar(item, "cpu_affinity", "numbers of CPUs such as 0-3") else { continue }
            for part in scalar.text.split(separator: ",", omittingEmptySubsequences: false) {
                let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                    Int($0.filter { $0 != " " })
                }
                guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last,
                    (0..<Limits.cpus).contains(first), last < Limits.cpus
                else {
                    error(
                        "value", "\"cpu_affinity\": \"\(part)\" is no CPU or range of CPUs", at: item,
                        help: "CPUs are numbered from 0; such as [0, 2] or \"0-3\"")
                    continue
                }
                found.formUnion(first...last)
            }
        }
        return found.sorted()
    }

    private func ulimits(_ node: NodeID) -> [Ulimit] {
        guard let section = section(node, Fields.ulimits, "ulimits") else { return [] }
        return Ulimit.Resource.allCases.compactMap { resource in
            section[resource.rawValue].flatMap { ulimit(resource, $0) }
        }
    }

    private func ulimit(_ resource: Ulimit.Resource, _ node: NodeID) -> Ulimit? {
        guard tree.kind(node) == .mapping else {
            return limit(resource, node).map { Ulimit(resource, soft: $0, hard: $0) }
        }
        guard let section = section(node, Fields.ulimit, resource.rawValue) else { return nil }
        guard let softNode = section["soft"], let hardNode = section["hard"] else {
            error(
                "missing", "\"\(resource.rawValue)\" needs soft and hard", at: node,
                help: "one number sets both:  \(resource.rawValue): 1024")
            return nil
        }
        guard let soft = limit(resource, softNode), let hard = limit(resource, hardNode) else { return nil }
        guard soft ?? .max <= hard ?? .max else {
            error(
                "range", "\"\(resource.rawValue)\": the soft limit is above the hard one", at: softNode,
                help: "exchange the two, or lower soft")
            return nil
        }
        return Ulimit(resource, soft: soft, hard: hard)
    }

    /// `.some(nil)` is unlimited.
    private func limit(_ resource: Ulimit.Resource, _ node: NodeID) -> Int64?? {
        let form = resource.isBytes ? "a number of bytes, a size, or unlimited" : "a whole number, or unlimited"
        guard let scalar = scalar(node, resource.rawValue, form) else { return nil }
        if scalar.text == "unlimited" || scalar.text == "-1" { return .some(nil) }
        if case .integer(let number) = scalar.meaning, number >= 0 { return number }
        if resource.isBytes, let bytes = SizeText.parse(scalar.text) { return bytes }
        wrongForm(
            resource.rawValue, form, node,
            help: resource.isBytes
                ? "such as 64MiB, or { soft: 1MiB, hard: 64MiB }" : "such as 1024, or { soft: 1024, hard: 4096 }")
        return nil
    }

    private func security(_ node: NodeID, into spec: inout ProcessSpec) {
        guard let section = section(node, Fields.security, "security") else { return }
        if let node = section["no_new_privileges"], let flag = flag(node, "no_new_privileges") {
            spec.noNewPrivileges = flag
        }
        if let node = section["private_tmp"], let flag = flag(node, "private_tmp") { spec.hasPrivateTmp = flag }
        if let node = section["read_only"], let items = items(node, "read_only", of: "paths") {
            spec.readOnly = Array(Set(items.compactMap { path($0, "read_only") })).sorted()
        }
        guard let node = section["capabilities"] else { return }
        if tree.kind(node) == .scalar {
            guard let text = text(node, "capabilities") else { return }
            if text != "all" {
                error(
                    "value", "\"capabilities\" can't be \"\(text)\"", at: node,
                    help: "it is all, or a list such as [CAP_NET_BIND_SERVICE]; [] is none")
            }
            return
        }
        guard let items = items(node, "capabilities", of: "capabilities") else { return }
        var found: Set<Capability> = []
        for item in items {
            guard let text = text(item, "capabilities") else { continue }
            if let one = Capability(text: text) { found.insert(one) } else { unknownCapability(text, item) }
        }
        spec.capabilities = Capability.allCases.filter(found.contains)
    }

    private func unknownCapability(_ text: String, _ node: NodeID) {
        let upper = text.uppercased()
        let names = Capability.allCases.map(\.rawValue)
        error(
            "value", "\"capabilities\": there is no capability \"\(text)\"", at: node,
            help: Suggestion.help(for: upper.hasPrefix("CAP_") ? upper : "CAP_\(upper)", among: names)
                ?? "capabilities(7) lists them; [] is none")
    }
}
