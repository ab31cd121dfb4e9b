// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Which stack and which services the words on a command line mean, given what is applied.
struct TargetChoice {
    var stacks: [StackStatus]
    /// The absolute path of the manifest that a command given here means; nil when there is none.
    var manifestPath: String?

    init(stacks: [StackStatus], platform: any Platform) {
        self.stacks = stacks
        manifestPath = ManifestOptions.nearestAbsolute(platform)
    }

    init(stacks: [StackStatus], manifestPath: String?) {
        self.stacks = stacks
        self.manifestPath = manifestPath
    }

    /// The stack that was named, else that of the manifest here, else the only one.
    func stack(_ name: String?) throws(Failure) -> StackStatus {
        if let name {
            if let found = stacks.first(where: { $0.name == name }) { return found }
            throw Failure(.failed, "no stack \"\(name)\" is applied", help: known)
        }
        if let manifestPath {
            if let found = stacks.first(where: { $0.manifestPath == manifestPath }) { return found }
            throw Failure(
                .failed, "\(manifestPath) is not applied",
                help: "`orch apply` applies it" + (stacks.isEmpty ? "" : "; or name a stack. \(known)"))
        }
        if stacks.count == 1 { return stacks[0] }
        if stacks.isEmpty { throw Failure(.failed, "nothing is applied", help: "`orch apply FILE` brings a stack up") }
        throw Failure(.refused, "\(stacks.count) stacks are applied and none is named", help: known)
    }

    /// `web`, `web.2`, `stack/web`, `stack/web.2`.
    func service(_ text: String) throws(Failure) -> Target {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let owner: StackStatus
        if parts.count == 2 {
            owner = try stack(parts[0])
        } else {
            owner = try self.owner(of: parts[0])
        }
        if let target = Self.target(parts[parts.count - 1], in: owner) { return target }
        let names = owner.instances.map(\.id.service.service)
        throw Failure(
            .failed, "\(owner.name) has no service \"\(parts[parts.count - 1])\"",
            help: suggestion(parts[parts.count - 1], among: names))
    }

    /// No words: the default stack. A word with a slash, or one that is no stack's name, is a service.
    func targets(_ words: [String]) throws(Failure) -> [Target] {
        guard !words.isEmpty else { return [Target(stack: try stack(nil).name)] }
        var result: [Target] = []
        for word in words { result.append(try service(word)) }
        return result
    }

    /// A stack or a service; a service of the default stack is preferred.
    func stackOrService(_ word: String) throws(Failure) -> Target {
        if !word.contains("/"), stacks.contains(where: { $0.name == word }) {
            // Without a default stack no service can be meant: why there is none doesn't matter.
            let isServiceHere = (try? stack(nil)).flatMap { Self.target(word, in: $0) } != nil
            if !isServiceHere { return Target(stack: word) }
        }
        return try service(word)
    }

    /// The default stack if there is one, else the only stack that has such a service.
    private func owner(of word: String) throws(Failure) -> StackStatus {
        do throws(Failure) { return try stack(nil) } catch {
            let owners = stacks.filter { Self.target(word, in: $0) != nil }
            if owners.count == 1, manifestPath == nil { return owners[0] }
            throw error
        }
    }

    private static func target(_ word: String, in stack: StackStatus) -> Target? {
        if stack.instances.contains(where: { $0.id.service.service == word }) {
            return Target(stack: stack.name, service: word)
        }
        guard let id = InstanceID(stack: stack.name, name: word), stack.instances.contains(where: { $0.id == id })
        else { return nil }
        return Target(stack: stack.name, service: id.service.service, replica: id.replica)
    }

    private var known: String {
        stacks.isEmpty
            ? "nothing is applied; `orch apply FILE` brings a stack up"
            : "applied: \(stacks.map(\.name).joined(separator: ", "))"
    }

    private func suggestion(_ word: String, among names: [String]) -> String {
        var unique: [String] = []
        for name in names where unique.last != name { unique.append(name) }
        if let near = unique.min(by: { EditDistance.between(word, $0) < EditDistance.between(word, $1) }),
            EditDistance.between(word, near) <= max(1, word.utf8.count / 3)
        {
            return "did you mean \"\(near)\"?"
        }
        return unique.isEmpty
            ? "it has no services"
            : "it has \(unique.prefix(12).joined(separator: ", "))\(unique.count > 12 ? ", …" : "")"
    }
}

/// How many insertions, removals and replacements apart two words are (Levenshtein).
enum EditDistance {
    static func between(_ a: String, _ b: String) -> Int {
        let (left, right) = (Array(a.utf8), Array(b.utf8))
        var row = Array(0...right.count)
        for (i, x) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
