// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Starting services.
extension LinuxHost {
    func launch(_ order: LaunchOrder) {
        guard records[order.launch] == nil else { return }
        let record = LaunchRecord(order.launch, .service)
        records[order.launch] = record
        do { try prepare(record, order) } catch {
            record.isOver = true
            record.isEmpty = true
            record.lockFiles = []
            outbox.append(.event(.launchFailed(order.launch, error.fault, isScarcity: error.isScarcity)))
            outbox.append(.event(.emptied(order.launch)))
        }
    }

    /// Why a launch did not get as far as the keeper.
    struct Obstacle: Error {
        var fault: Fault
        var isScarcity = false

        init(_ fault: Fault, isScarcity: Bool = false) {
            self.fault = fault
            self.isScarcity = isScarcity
        }
        init(_ error: SystemError, step: String, subject: String) {
            self.init(error.fault(step: step, subject: subject), isScarcity: Reason.isScarcity(error.code))
        }
    }

    private func prepare(_ record: LaunchRecord, _ order: LaunchOrder) throws(Obstacle) {
        let spec = order.spec
        let process = order.process
        let account = try account(spec.user, process)
        let ports = try claim(spec.ports)
        let hasSecretFiles = spec.secrets.contains { !$0.files.isEmpty }
        let environment = LaunchEnvironment(
            order, account: account, ports: order.hook?.ports ?? ports, mark: run.mark, notify: notify?.path,
            secrets: hasSecretFiles ? run.secrets(of: order.launch) : nil)
        let words = environment.words(of: spec.command)
        guard let program = words.first, !program.isEmpty else {
            throw Obstacle(
                Fault(
                    step: "execute", subject: order.label, reason: "the command is empty",
                    remedy: "give `command` a program"))
        }
        var context = LaunchContext(
            instance: order.instance, label: order.label, program: program, directory: spec.workingDirectory,
            environment: environment)
        context.user = spec.user
        context.process = process
        context.fileLimit = order.fileLimit
        context.ports = ports
        context.ready = spec.ready
        context.secrets = SecretFiles.variables(of: spec)
        if hasSecretFiles { try writeSecrets(spec.secrets, of: order.launch, for: account) }
        context.pipes = process.hasTerminal ? [.both] : Self.pipes(of: spec)
        let ends = try pipes(of: &context)
        let sockets = try openSockets(spec.sockets, for: order.instance.service, as: account)
        record.context = context
        try lock(spec.locks, for: record)
        try save(context, of: order.launch)
        Failpoint.contextSaved.reach()
        try open(record, words: words, account: account, order, ends, sockets)
    }

    /// Pipes, control group, and the request to the keeper.
    private func open(
        _ record: LaunchRecord, words: [String], account: Account?, _ order: LaunchOrder, _ ends: [Ends],
        _ sockets: [HeldSocket]
    ) throws(Obstacle) {
        guard let context = record.context else { return }
        var request = KeeperLink.Launch(identifier: record.launch.number, arguments: words)
        request.fill(context, account)
        let beside = try confine(&request, order)
        defer { withExtendedLifetime(beside) {} }
        do { request.environment += try SecretFiles.entries(of: context.secrets) } catch { throw Obstacle(error) }
        do {
            let group = try enter(record)
            limit(record, to: order.spec.resources)
            request.controlGroup = group?.number
            let input = try order.hasInputPipe ? Self.inputPipe() : nil
            request.standardInput = input?.number
            if case .file(let path) = context.process.input { request.inputFile = path }
            let first = ends.first
            let second = ends.dropFirst().first
            request.inherit(record.lockFiles)
            request.pass(
                sockets.map { ($0.spec.name, $0.descriptor) }
                    + storedDescriptors(for: order, beside: sockets).map { ($0.name, $0.descriptor) })
            request.isWatched = order.spec.watchdog != nil && notify != nil
            var readyFile: HeldDescriptor?
            if case .fd(let number) = order.spec.ready {
                let file = try self.readyFile(of: record.launch)
                request.extraDescriptors.append((number: Int32(number), descriptor: file.number))
                readyFile = file
            }
            defer { withExtendedLifetime(readyFile) {} }
            request.wire(context.pipes, first?.write.number, second?.write.number)
            request.heldReadEnds = [first?.readNumber, second?.readNumber].compactMap(\.self)
            let terminal = try terminal(of: record, account)
            if let terminal { request.wire(terminal) }
            defer { withExtendedLifetime(terminal) {} }
            var log: HeldDescriptor?
            if terminal != nil, let first { log = try Self.writeEnd(of: first.readNumber) }
            let null = try context.pipes == [.stdout] ? HeldDescriptor(SmallFile.open("/dev/null", O_WRONLY)) : nil
            if let null { request.standardError = null.number }
            Failpoint.launchPrepared.reach()
            try keeper.spawn(request)
            Failpoint.launchAsked.reach()
            record.isKnownToKeeper = true
            seat(record, log: log, input: input)
            holdPorts(of: record, true)
            attach(first?.takeReadEnd(), context.pipes.first, record, order.spec.logging, order.spec.health.patterns)
            attach(
                second?.takeReadEnd(), context.pipes.dropFirst().first, record, order.spec.logging,
                order.spec.health.patterns)
        } catch {
            dropGroup(of: record)
            throw Obstacle(error, step: "prepare the start of", subject: context.label)
        }
    }

    func attach(
        _ readEnd: consuming Descriptor?, _ pipe: LaunchContext.Pipe?, _ record: LaunchRecord, _ logging: LoggingSpec,
        _ patterns: [ProbeKind: String] = [:]
    ) {
        guard let pipe, let context = record.context, let readEnd = readEnd.take() else { return }
        record.readEnds.append((number: readEnd.number, inode: SmallFile.pipe(readEnd.number) ?? 0))
        pump.attach(
            record.launch, pipe.stream, readEnd: readEnd, sink: sink(of: pipe, logging, context),
            awaiting: awaitedLine(of: record), listening: patterns)
        record.isForwarded = logging.forward != .none
        tellPid(of: record)
    }

    /// Those whom its lines are forwarded to want to know whose they are.
    func tellPid(of record: LaunchRecord) {
        if record.isForwarded, record.pid > 0 { pump.name(record.launch, pid: record.pid) }
    }

    /// Its control group's directory, to be born in; nil when trees are held by session.
    func enter(_ record: LaunchRecord) throws(SystemError) -> HeldDescriptor? {
        guard let groups, !areGroupsBroken else { return nil }
        let group = try groups.make(record.launch, label: record.groupLabel)
        record.group = group
        return HeldDescriptor(try group.open())
    }

    func dropGroup(of record: LaunchRecord) {
        groups?.forget(record.launch)
        record.group?.remove()
        record.group = nil
    }

    private func writeSecrets(_ secrets: [SecretUse], of launch: LaunchID, for account: Account?) throws(Obstacle) {
        let folder = run.secrets(of: launch)
        do throws(Fault) {
            try SecretFiles.makeFolder(folder)
            try SecretFiles.write(secrets, into: folder, for: account)
        } catch { throw Obstacle(error) }
    }

    private func account(_ user: String?, _ process: ProcessSpec) throws(Obstacle) -> Account? {
        do { return try Account.of(user, process) } catch { throw Obstacle(error) }
    }

    private func claim(_ specs: [PortSpec]) throws(Obstacle) -> [AssignedPort] {
        guard !specs.isEmpty else { return [] }
        let claim = PortClaim(
            holder: { key in
                let socket = SocketSpec.Address.tcp(host: "0.0.0.0", port: key.port)
                return self.portHolders[key].flatMap { self.records[$0]?.context?.label }
                    ?? (key.transport == .tcp ? self.socketHolder(of: socket).map { "\($0)" } : nil)
            }, service: serviceName)
        // A port that is waited for is not the service's failure: it is tried again and does not count.
        do { return try claim.claim(specs) } catch { throw Obstacle(error.fault, isScarcity: error.mayWait) }
    }

    /// Those that are files. Somebody else may have one: that is no failure of the service.
    private func lock(_ names: [String], for record: LaunchRecord) throws(Obstacle) {
        for name in names where name.utf8.contains(47) {
            do { record.lockFiles.append(HeldDescriptor(try LockFile.take(name))) } catch {
                switch error {
                case .held(let holder):
                    let fault = Fault(step: "take the lock", subject: name, reason: "held by \(holder)")
                    throw Obstacle(fault, isScarcity: true)
                case .failed(let error): throw Obstacle(error, step: "take the lock", subject: name)
                }
            }
        }
    }

    /// Nobody else of ours gets them while it lives.
    func holdPorts(of record: LaunchRecord, _ isHeld: Bool) {
        for port in record.context?.ports ?? [] {
            let key = PortClaim.Key(port: port.port, transport: port.transport)
            if isHeld {
                portHolders[key] = record.launch
            } else if portHolders[key] == record.launch {
                portHolders[key] = nil
            }
        }
    }

    private func save(_ context: LaunchContext, of launch: LaunchID) throws(Obstacle) {
        do { try context.save(launch, in: run.launches) } catch {
            throw Obstacle(
                error.fault(step: "record the launch in", subject: run.launches, remedy: "free space there"),
                isScarcity: true)
        }
    }

    /// What the outputs need pipes for; discarded ones get `/dev/null`, unless somebody reads them.
    static func pipes(of spec: ServiceSpec) -> [LaunchContext.Pipe] {
        let logging = spec.logging
        let awaitsLine = if case .log = spec.ready { true } else { false }
        let isRead = awaitsLine || !spec.health.patterns.isEmpty
        let hasStdout = isRead || logging.stdout != .discard && logging.stdout != .merge
        switch logging.stderr {
        case .merge: return hasStdout ? [.both] : []
        case .discard: return isRead ? [.stdout, .stderr] : hasStdout ? [.stdout] : []
        case .standard, .file, .append: return hasStdout ? [.stdout, .stderr] : [.stderr]
        }
    }

    private func pipes(of context: inout LaunchContext) throws(Obstacle) -> [Ends] {
        var ends: [Ends] = []
        do { for _ in context.pipes { ends.append(try Ends()) } } catch {
            throw Obstacle(error, step: "prepare the start of", subject: context.label)
        }
        context.pipeInodes = ends.map { SmallFile.pipe($0.readNumber) ?? 0 }
        return ends
    }

    /// A pipe's ends, to be taken one by one. The end for the service is open for reading, too: nobody else may be left to read, after
    /// keeper and daemon were killed, and then it waits instead of dying of SIGPIPE.
    final class Ends {
        let readNumber: Int32
        private var read: Descriptor?
        let write: Descriptor

        convenience init() throws(SystemError) { try self.init(try Descriptor.pipe()) }

        private init(_ ends: consuming PipeEnds) throws(SystemError) {
            readNumber = ends.read.number
            write = try SmallFile.open("/proc/self/fd/\(ends.write.number)", O_RDWR)
            read = .some(ends.read)
        }

        /// Once.
        func takeReadEnd() -> Descriptor? { read.take() }
    }
}

extension Ulimit {
    var limit: KeeperLink.Limit {
        let number = UInt32(Ulimit.Resource.allCases.firstIndex(of: resource) ?? 0)
        return KeeperLink.Limit(
            resource: number, soft: soft.map { UInt64($0) } ?? .max, hard: hard.map { UInt64($0) } ?? .max)
    }
}

extension KeeperLink.Launch {
    /// What probes and steps share with their service.
    mutating func fill(_ context: LaunchContext, _ account: Account?) {
        environment = context.environment.entries
        workingDirectory = context.directory
        searchPath = context.environment.searchPath
        fill(context.process, fileLimit: context.fileLimit)
        guard let account, !account.isOwn || getuid() == 0 else { return }
        user = account.uid
        group = account.gid
        groups = account.groups
    }

    private mutating func fill(_ process: ProcessSpec, fileLimit: UInt64?) {
        fileModeMask = process.umask
        nice = process.nice.map(Int32.init)
        ioPriority = process.ioClass?.number
        cpus = process.cpuAffinity
        limits = process.ulimits.map(\.limit)
        if !process.ulimits.contains(where: { $0.resource == .nofile }) {
            limits.append(LinuxHost.fileLimit(fileLimit))
        }
        noNewPrivileges = process.noNewPrivileges
        capabilities = process.capabilities?.compactMap { Capability.allCases.firstIndex(of: $0) }
    }

    /// At the highest numbers, where no service expects anything.
    mutating func inherit(_ lockFiles: [HeldDescriptor]) {
        let first = Self.highestNumber + 1 - Int32(lockFiles.count)
        for (index, file) in lockFiles.enumerated() {
            extraDescriptors.append((number: first + Int32(index), descriptor: file.number))
        }
    }
    /// From 3 up, and told of as sd_listen_fds(3) has it.
    mutating func pass(_ sockets: [(name: String, descriptor: HeldDescriptor)]) {
        let told = ["LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="]
        environment.removeAll { entry in told.contains { entry.hasPrefix($0) } }
        for (index, socket) in sockets.enumerated() {
            let number = Int32(SocketSpec.firstDescriptor + index)
            extraDescriptors.append((number: number, descriptor: socket.descriptor.number))
        }
        socketNames = sockets.map(\.name)
    }
    /// KEEPER_NUMBER_MAX.
    private static var highestNumber: Int32 { 63 }

    /// Standard output and error, by what the pipes are for.
    mutating func wire(_ pipes: [LaunchContext.Pipe], _ first: Int32?, _ second: Int32?) {
        switch pipes {
        case [.stderr]: standardError = first
        default:
            standardOutput = first
            standardError = second
        }
    }
}

extension LinuxHost {
    /// Soft RLIMIT_NOFILE as the caller had it, else 1024 (select(2)); hard as the daemon's own.
    static func fileLimit(_ soft: UInt64?) -> KeeperLink.Limit {
        var own = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &own)
        let hard = UInt64(own.rlim_max)
        return KeeperLink.Limit(resource: UInt32(RLIMIT_NOFILE.rawValue), soft: min(soft ?? 1024, hard), hard: hard)
    }
}
