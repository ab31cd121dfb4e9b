// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Going back to a revision that was applied before. It is an apply like any other: planned, admitted, and an entry of the history.
extension Fleet {
    /// Which revision a rollback goes to, or why there is none.
    ///
    /// - Parameters:
    ///   - wanted: the first digits of its digest; nil for the newest one that isn't the present one.
    ///   - history: what is kept of the stack, newest first.
    public func rollbackTarget(_ request: RollbackRequest, in history: [AppliedRevision]) throws(Refusal) -> Digest {
        let name = request.stack
        guard hasStack(name), let place = stackPlace(name) else { throw unknown(stack: name) }
        let present = stacks[place].applied.revision
        guard let wanted = request.revision else {
            if let found = history.first(where: { $0.revision != present }) { return found.revision }
            throw Refusal(
                .conflict, "\(name) has no revision before \(present.short): there is nothing to go back to",
                remedy: "`orch apply` applies a changed manifest; `orch history \(name)` lists what was applied")
        }
        let prefix = wanted.lowercased()
        var found: [Digest] = []
        for entry in history where entry.revision.hex.hasPrefix(prefix) && !found.contains(entry.revision) {
            found.append(entry.revision)
        }
        guard let digest = found.first, !prefix.isEmpty else {
            throw Refusal(
                .unknown, "\(name) has no revision \(wanted) among the \(history.count) that are kept",
                remedy: "`orch history \(name)` lists them")
        }
        guard found.count == 1 else {
            throw Refusal(
                .conflict,
                "\(wanted) names \(found.count) revisions of \(name): "
                    + found.prefix(4).map(\.short).joined(separator: ", ") + (found.count > 4 ? ", …" : ""),
                remedy: "give more digits")
        }
        guard digest != present else {
            throw Refusal(
                .conflict, "\(name) is at revision \(digest.short) already",
                remedy:
                    "`orch diff` shows what departs from it and `orch apply` mends that; `orch history \(name)` lists the others"
            )
        }
        return digest
    }

    /// What going back to a kept revision would do.
    public func plan(backTo kept: AppliedStack) throws(Refusal) -> Plan { try plan(for: request(backTo: kept)) }

    /// The kept revision as it is to be applied again, exactly: what services inherit comes from it too, for those that the plan starts.
    public func admit(backTo kept: AppliedStack, by author: String, at now: Moment) throws(Refusal) -> AppliedStack {
        var request = try request(backTo: kept)
        request.author = author
        request.rollbackWithin = nil
        var applied = admit(request, as: try plan(for: request), inheriting: kept.inherited, at: now)
        if let place = stackPlace(request.stack.name) {
            applied.entry.origin = .rollback
            applied.entry.left = stacks[place].applied.revision
        }
        return applied
    }

    /// Why what runs is not the service's definition any more.
    func causeOfChange(_ service: ServiceID) -> String {
        guard let entry = stackPlace(service.stack).map({ stacks[$0].applied.entry }) else { return "" }
        switch entry.origin {
        case .apply: return "its definition changed"
        case .rollback: return "rolled back to revision \(entry.revision.short)"
        case .automaticRollback: return "rolled back to revision \(entry.revision.short), as \(entry.because)"
        }
    }

    func isRolledBack(_ service: ServiceID) -> Bool {
        stackPlace(service.stack).map { stacks[$0].applied.entry.origin != .apply } ?? false
    }

    /// What failed before the last apply of this boot was forgiven by it, also when the daemon died before it could try again.
    func isForgiven(_ stack: String, _ moment: Moment) -> Bool {
        stackPlace(stack).map { moment.instant <= stacks[$0].applied.acceptedAt } ?? false
    }

    /// The stack stays with the manifest that owns it now.
    private func request(backTo kept: AppliedStack) throws(Refusal) -> ApplyRequest {
        let name = kept.request.stack.name
        guard hasStack(name), let place = stackPlace(name) else { throw unknown(stack: name) }
        var request = kept.request
        request.manifestPath = stacks[place].applied.request.manifestPath
        return request
    }
}
