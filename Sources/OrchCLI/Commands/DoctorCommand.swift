// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel
internal import OrchWire

struct DoctorCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what will not work on this host, or of a manifest on it, and the remedy.",
        discussion: """
            Looks at the daemon, the kernel, control groups, limits and disks, and, of the manifest, whether each service's user can \
            enter its folder and execute its command, whether logs can be written, secrets be read and ports be had. Changes nothing. \
            Exits 0 when there is no error, warnings or not, and 1 otherwise.
            """)

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Print {\"healthy\",\"findings\":[{\"mark\",\"about\",\"fact\",\"reason\",\"remedy\",\"position\"}]}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let examination = try examine(context)
        if json {
            try context.console.write(JSON.bytes(of: examination.value) + [10])
        } else {
            try context.console.print(examination.lines(width: context.console.width))
        }
        return examination.isHealthy ? .success : .failed
    }

    private func examine(_ context: Context) throws(Failure) -> Examination {
        let platform = context.platform
        let examiner = platform.examiner
        let look = Self.look(context)
        let facts = examiner.facts(daemon: look.pid)
        let loaded = try manifest.isMeant(platform) ? manifest.result(in: context) : nil
        let request = if case .success(let loaded) = loaded { loaded.request } else { ApplyRequest?.none }

        var examination = Examination()
        examination.findings = daemon(look, facts, platform).findings()
        examination.findings += host(look, facts, request).findings()
        let state = platform.stateDirectory
        examination.findings += Self.folder("state", state, isState: true, examiner)
        examination.findings += Self.folder("run", platform.runDirectory, isState: false, examiner)
        switch loaded {
        case nil: break
        case .failure(let errors): examination.findings += errors.diagnostics.map(Self.finding)
        case .success(let loaded):
            examination.findings += loaded.warnings.map(Self.finding)
            examination.findings += Self.services(of: loaded.request, facts, examiner, state: state)
        }
        return examination
    }

    // MARK: The daemon and the host

    private static func look(_ context: Context) -> DaemonLook {
        do throws(Failure) {
            guard let session = try Session.open(context.platform) else {
                return .absent(
                    orphans: context.platform.orphanCount, StoredStatus(platform: context.platform).stacks())
            }
            guard case .daemon(let status) = try session.ask(.daemonStatus) else { throw Failure.unexpectedReply }
            return .running(status, isSameVersion: session.isSameVersion, try context.stacks(from: session))
        } catch { return .unreachable(error) }
    }

    private func daemon(_ look: DaemonLook, _ facts: HostFacts, _ platform: any Platform) -> DaemonFindings {
        var findings = DaemonFindings(look: look, facts: facts, state: platform.stateDirectory)
        do throws(Fault) { _ = try platform.examinePrograms() } catch {
            findings.programFault = Fault(
                step: "use", subject: error.subject, reason: error.reason,
                remedy: "install orch's programs together: make install")
        }
        findings.stored = platform.names(in: platform.stateDirectory)
        findings.lostManifests = look.stacks.compactMap { stack in
            let path = stack.manifestPath
            let obstacle =
                path.hasPrefix("/") ? platform.examiner.obstacle(to: .read, of: path, as: nil) : PathObstacle?.none
            return obstacle?.kind == .missing ? (stack.name, path) : nil
        }
        return findings
    }

    private func host(_ look: DaemonLook, _ facts: HostFacts, _ request: ApplyRequest?) -> HostFindings {
        let others = look.stacks.filter { $0.name != request?.stack.name }.flatMap(\.instances)
        let own = request?.stack.services.reduce(0) { $0 + ($1.enabled ? $1.replicas : 0) }
        let living = look.stacks.flatMap(\.instances).filter { $0.pid != nil }
        var findings = HostFindings(facts: facts)
        findings.living = living.count
        findings.heldBySession = living.count { $0.tracking == SessionHold.word }
        findings.hasLimits =
            living.contains { !$0.limits.isEmpty }
            || request?.stack.services.contains { !$0.resources.isEmpty } ?? false
        findings.instances = own.map { others.count + $0 } ?? look.stacks.reduce(0) { $0 + $1.instances.count }
        findings.sockets = request?.stack.services.reduce(0) { $0 + ($1.enabled ? $1.sockets.count : 0) } ?? 0
        return findings
    }

    private static func folder(
        _ about: String, _ path: String, isState: Bool, _ examiner: any HostExaminer
    ) -> [Finding] {
        if let obstacle = examiner.obstacle(to: .own, of: path, as: nil), obstacle.kind != .silent {
            return [
                Finding(
                    .error, about, "\(path) can't be used: \(obstacle.reason)",
                    because: "the daemon keeps what is \(isState ? "applied" : "running") there, closed to others",
                    remedy: "set ORCH_HOME to a folder of yours")
            ]
        }
        return DiskFindings(about: about, path: path, isState: isState, facts: examiner.fileSystem(of: path)).findings()
    }

    // MARK: The manifest

    private static func finding(_ diagnostic: Diagnostic) -> Finding {
        Finding(
            diagnostic.severity == .error ? .error : .warning, "manifest", diagnostic.message, remedy: diagnostic.help,
            at: diagnostic.position)
    }

    private static func services(
        of request: ApplyRequest, _ facts: HostFacts, _ examiner: any HostExaminer, state: String
    ) -> [Finding] {
        var result: [Finding] = []
        var folders: Set<String> = []
        for spec in request.stack.services where spec.enabled {
            let service = ServiceFindings(
                spec: spec, stack: request.stack.name, request: request, facts: facts, examiner: examiner, state: state)
            result += service.findings()
            for log in service.logs {
                let folder = LogLayout.split(log).folder
                guard folders.insert(folder).inserted else { continue }
                let disk = DiskFindings(
                    about: spec.name, path: folder, isState: false, facts: examiner.fileSystem(of: folder))
                result += disk.findings().filter { $0.mark != .ok }
            }
        }
        return result
    }
}
