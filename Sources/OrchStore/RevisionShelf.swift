// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Applied revisions as files named by their digest, and for each stack a pointer to its present one, which also holds the history
/// of those before it: one file that is replaced whole is what an apply comes down to.
struct RevisionShelf {
    private let revisions: DurableFolder
    private let pointers: DurableFolder
    /// Histories of stacks that were taken down.
    private let forgotten: DurableFolder

    /// What names the present boot; nil for one who only looks.
    private let boot: String?
    /// What this process wrote last of each stack, an index: the same once more need not be written.
    private var written: [String: (revision: Digest, positions: SourcePositions)] = [:]

    init(in state: String, boot: String?) throws(Fault) {
        self.boot = boot
        revisions = try DurableFolder(making: "\(state)/revisions")
        pointers = try DurableFolder(making: "\(state)/stacks")
        forgotten = try DurableFolder(making: "\(state)/forgotten")
    }

    /// `older`: entries that a former layout kept elsewhere, newest first; asked for when the history begins.
    mutating func save(_ applied: AppliedStack, older: () -> [AppliedRevision]) throws(Fault) {
        let stack = applied.request.stack.name
        let name = "\(stack).json"
        let present = try content(of: name, in: pointers)
        let former = try present == nil ? content(of: name, in: forgotten) : nil
        var history = (present ?? former)?["history"]?.array
        if let present, !Self.isSameEntry(present, applied) {
            history?.insert(AppliedStack.entry(ofPointer: present), at: 0)
        }
        let all = history ?? begin(older(), before: applied, present)
        let kept = Self.cut(all, sparing: applied.trial?.fallback)
        let revision = "\(applied.revision.hex).json"
        if !isWritten(applied) || !revisions.has(revision) {
            written[stack] = nil
            try revisions.write(SealedDocument.bytes(of: applied.document), to: revision)
            written[stack] = (applied.revision, applied.request.positions)
        }
        Failpoint.revisionSaved.reach()
        try pointers.write(SealedDocument.bytes(of: applied.pointer(history: kept, boot: boot ?? "")), to: name)
        Failpoint.pointerSaved.reach()
        // The revision stands: what is not needed any more can wait for the next one.
        if former != nil { try? forgotten.remove(name) }
        remove(all.filter { !kept.contains($0) }, except: kept.map { $0["revision"] } + [.string(applied.revision.hex)])
    }

    private func isWritten(_ applied: AppliedStack) -> Bool {
        guard let last = written[applied.request.stack.name] else { return false }
        return last.revision == applied.revision && last.positions == applied.request.positions
    }

    /// Keeps the history, for when the stack is applied again.
    func forget(stack: String) throws(Fault) {
        let name = "\(stack).json"
        if let pointer = try content(of: name, in: pointers) {
            let history = [AppliedStack.entry(ofPointer: pointer)] + (pointer["history"]?.array ?? [])
            let kept: Value = ["stack": .string(stack), "history": .array(history)]
            try forgotten.write(SealedDocument.bytes(of: kept), to: name)
            Failpoint.historyKept.reach()
        }
        try pointers.remove(name)
        try clear()
    }

    /// Newest first; empty for a stack that nobody knows.
    func history(of stack: String) throws(Fault) -> [AppliedRevision] {
        let (present, former) = try entries(of: stack)
        // An entry of another shape is none: the rest still tells something.
        var history = former.compactMap { try? AppliedRevision(stored: $0) }
        if let present, var entry = try? AppliedRevision(stored: present) {
            entry.isCurrent = present["leaving"]?.bool != true
            history.insert(entry, at: 0)
        }
        return history
    }

    /// The newest entry with that digest, as it was applied; nil when it is not kept.
    func revision(_ digest: Digest, of stack: String) throws(Fault) -> AppliedStack? {
        let (present, former) = try entries(of: stack)
        let all = (present.map { [AppliedStack.entry(ofPointer: $0)] } ?? []) + former
        guard let entry = all.first(where: { $0["revision"]?.string == digest.hex }) else { return nil }
        let path = "\(revisions.path)/\(digest.hex).json"
        guard let bytes = try revisions.read("\(digest.hex).json") else {
            throw Fault(step: "read", subject: path, reason: "it is missing", remedy: "apply its manifest again")
        }
        do throws(SealedDocument.Problem) {
            let document = try SealedDocument.content(of: bytes)
            do throws(ShapeError) { return try AppliedStack(pointer: entry, revision: document, boot: boot) } catch {
                throw .damaged("\(error.path) is not \(error.expected)")
            }
        } catch {
            throw Fault(step: "read", subject: path, reason: error.text, remedy: "apply its manifest again")
        }
    }

    // MARK: The parts of a history

    private func entries(of stack: String) throws(Fault) -> (present: Value?, former: [Value]) {
        let name = "\(stack).json"
        let present = try content(of: name, in: pointers)
        let former = try present == nil ? content(of: name, in: forgotten) : nil
        return (present, (present ?? former)?["history"]?.array ?? [])
    }

    private static func isSameEntry(_ pointer: Value, _ applied: AppliedStack) -> Bool {
        pointer["revision"]?.string == applied.revision.hex
            && pointer["applied_at"]?.int == applied.appliedAt.nanoseconds
    }

    /// A history that begins with this layout: what was known before is told in the present one's surroundings.
    private func begin(_ older: [AppliedRevision], before applied: AppliedStack, _ present: Value?) -> [Value] {
        let base = AppliedStack.entry(ofPointer: present ?? applied.pointer(history: [], boot: ""))
        var history: [Value] = []
        if let present, !Self.isSameEntry(present, applied) { history = [base] }
        let surroundings = (base.members ?? []).filter { member in
            !["revision", "applied_at", "author", "origin", "because", "changes", "change_count"].contains(member.key)
        }
        for entry in older where history.last?["revision"]?.string != entry.revision.hex {
            if history.isEmpty, entry.revision == applied.revision { continue }
            guard revisions.has("\(entry.revision.hex).json") else { continue }
            history.append(.object((entry.stored.members ?? []) + surroundings))
        }
        return history
    }

    /// With the present one there are `Limits.revisionsPerStack`; what a trial may go back to stays.
    private static func cut(_ history: [Value], sparing fallback: Digest?) -> [Value] {
        let limit = Limits.revisionsPerStack - 1
        guard history.count > limit else { return history }
        var kept = Array(history.prefix(limit))
        if let fallback, !kept.contains(where: { $0["revision"]?.string == fallback.hex }),
            let spared = history.first(where: { $0["revision"]?.string == fallback.hex })
        {
            kept[limit - 1] = spared
        }
        return kept
    }

    /// Files that no entry names any more; digests of two stacks always differ, as the name is part of what is digested.
    private func remove(_ entries: [Value], except kept: [Value?]) {
        for entry in entries where !kept.contains(entry["revision"]) {
            if let digest = entry["revision"]?.string { try? revisions.remove("\(digest).json") }
        }
    }

    /// Lets go of the stacks that were taken down the longest ago.
    private func clear() throws(Fault) {
        let names = try forgotten.names(cleaning: true)
        guard names.count > Limits.forgottenStacks else { return }
        var aged: [(age: Int64, name: String, history: [Value])] = []
        for name in names {
            let history = try content(of: name, in: forgotten)?["history"]?.array ?? []
            aged.append((history.first?["applied_at"]?.int ?? 0, name, history))
        }
        aged.sort { ($0.age, $0.name) < ($1.age, $1.name) }
        for stack in aged.prefix(names.count - Limits.forgottenStacks) {
            try forgotten.remove(stack.name)
            remove(stack.history, except: [])
        }
    }

    /// Nil when it is missing, or damaged: that is said when it is loaded.
    private func content(of name: String, in folder: DurableFolder) throws(Fault) -> Value? {
        guard let bytes = try folder.read(name) else { return nil }
        return try? SealedDocument.content(of: bytes)
    }

    // MARK: Loading

    /// All stacks that are whole, sorted by name. What is damaged is set aside, if asked for, and said.
    func load(settingAside: Bool, remarks: inout [String]) throws(Fault) -> [AppliedStack] {
        if settingAside { _ = try revisions.names(cleaning: true) }
        var stacks: [AppliedStack] = []
        for file in try pointers.names(cleaning: settingAside) where file.hasSuffix(".json") {
            guard let pointer = try document(file, in: pointers, settingAside: settingAside, remarks: &remarks) else {
                continue
            }
            let revision = "\(pointer["revision"]?.string ?? "").json"
            guard let content = try document(revision, in: revisions, settingAside: settingAside, remarks: &remarks)
            else {
                let path = pointer["manifest_path"]?.string ?? "its manifest"
                if settingAside { _ = try pointers.setAside(file) }
                remarks.append("the revision of stack \(file.dropLast(5)) is lost: run `orch apply -f \(path)` again")
                continue
            }
            do { stacks.append(try AppliedStack(pointer: pointer, revision: content, boot: boot)) } catch {
                let aside = settingAside ? " and is set aside as \(try pointers.setAside(file))" : ""
                remarks.append(
                    "\(pointers.path)/\(file) does not have the expected shape (\(error.path): \(error.expected))\(aside)"
                )
            }
        }
        return stacks.sorted { $0.request.stack.name < $1.request.stack.name }
    }

    /// Nil when it is missing or damaged, which is said.
    private func document(
        _ name: String, in folder: DurableFolder, settingAside: Bool, remarks: inout [String]
    ) throws(Fault) -> Value? {
        let path = "\(folder.path)/\(name)"
        guard let bytes = try folder.read(name) else {
            remarks.append("\(path) is missing")
            return nil
        }
        do { return try SealedDocument.content(of: bytes) } catch {
            switch error {
            case .newer(let format):
                throw Fault(
                    step: "read", subject: path, reason: "it is of format \(format), written by a later orch",
                    remedy: "run that orch, or set ORCH_HOME to another folder")
            case .damaged(let reason):
                let aside = settingAside ? "; it is set aside as \(try folder.setAside(name))" : ""
                remarks.append("\(path) is damaged (\(reason))\(aside)")
                return nil
            }
        }
    }
}
