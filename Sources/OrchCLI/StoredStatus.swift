// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// What is applied, as the files of the state directory say while no daemon runs. Nothing is known to live.
struct StoredStatus {
    let platform: any Platform

    /// Sorted by name. What can't be read is left out: the daemon says what is wrong with it.
    func stacks() -> [StackStatus] {
        let folder = "\(platform.stateDirectory)/stacks"
        return platform.names(in: folder).filter { $0.hasSuffix(".json") }.compactMap { stack(in: "\(folder)/\($0)") }
    }

    /// What is applied under that name; nil when nothing is.
    func stack(named name: String) -> Stack? { applied("\(platform.stateDirectory)/stacks/\(name).json")?.stack }

    /// What the stack's pointer tells, or what was kept when it was taken down; nil when nothing is.
    func history(of target: Target) -> StackHistory? {
        let (state, name) = (platform.stateDirectory, "\(target.stack).json")
        let present = content(of: "\(state)/stacks/\(name)")
        guard let found = present ?? content(of: "\(state)/forgotten/\(name)") else { return nil }
        // An entry of another shape is the daemon's business.
        var entries = (found["history"]?.array ?? []).compactMap { try? AppliedRevision(stored: $0) }
        if let present, var entry = try? AppliedRevision(stored: present) {
            entry.isCurrent = present["leaving"]?.bool != true
            entries.insert(entry, at: 0)
        }
        return StackHistory(
            stack: target.stack, service: target.service,
            revisions: StackHistory.touched(target.service, in: entries))
    }

    private func stack(in path: String) -> StackStatus? {
        guard let (pointer, stack) = applied(path) else { return nil }
        let since = pointer["applied_at"]?.int.map { WallTime(nanoseconds: $0) } ?? platform.now.wall
        return StackStatus(
            name: stack.name, revision: pointer["revision"]?.string ?? "",
            manifestPath: pointer["manifest_path"]?.string ?? "",
            phase: .stopped, instances: stack.services.flatMap { instances(of: $0, in: stack, since: since) })
    }

    /// The pointer names the revision, the revision holds the stack; both are sealed documents whose seal is the daemon's business.
    /// A stack that was being forgotten is none.
    private func applied(_ path: String) -> (pointer: Value, stack: Stack)? {
        guard let pointer = content(of: path), pointer["leaving"]?.bool != true,
            let revision = pointer["revision"]?.string,
            let stored = content(of: "\(platform.stateDirectory)/revisions/\(revision).json")
        else { return nil }
        // Of another shape: the daemon says what is wrong with it.
        return (try? Stack(stored)).map { (pointer, $0) }
    }

    private func instances(of service: ServiceSpec, in stack: Stack, since: WallTime) -> [InstanceStatus] {
        let (redacted, secrets) = (stack.redactions(for: service), stack.secretFiles(for: service))
        return (0..<service.replicas).map { index in
            let id = InstanceID(service: ServiceID(stack: stack.name, service: service.name), replica: index + 1)
            var status = InstanceStatus(
                id: id, label: id.label(alone: service.replicas == 1), kind: service.kind, phase: .idle, since: since)
            status.reason = service.enabled ? "" : service.disabledBecause
            func path(_ kind: LogStreamKind) -> String? {
                LogLayout.path(
                    for: kind, spec: service.logging, stack: stack.name, service: service.name, replica: index + 1,
                    state: platform.stateDirectory)
            }
            status.stdoutLog = path(.stdout)
            status.stderrLog = path(.stderr)
            status.redactedLog = redacted
            status.secretFiles = secrets
            return status
        }
    }

    private func content(of path: String) -> Value? {
        // Unreadable and absent are the same to a reader without a daemon.
        guard let bytes = try? platform.read(path) else { return nil }
        return (try? JSON.parse(bytes))?["content"]
    }
}
