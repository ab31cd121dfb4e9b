// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchLinux
internal import OrchModel
internal import OrchStore
internal import OrchWire

/// The daemon's life: open the disk, take over from the keeper, serve until something ends it.
enum Daemon {
    /// Bytes after which the daemon's own log begins anew.
    private static let logLimit = 1 << 20

    /// The exit status: 0 when it ended as it should, 1 when it could not go on, 64 (`EX_USAGE`) for wrong arguments.
    static func run(_ arguments: [String]) -> Int32 {
        let given: DaemonArguments
        do { given = try DaemonArguments(arguments) } catch {
            say("orchd: \(error.text)")
            return 64
        }
        settleIn()
        do {
            let (host, recovery, store, remarks) = try prepare(given)
            let fallback = fallback(given)
            return serve(given, host, recovery, store, remarks + (fallback.map { [$0] } ?? []), fallback: fallback)
        } catch {
            tell("error: \(error.text)\n", given.ready)
            say("error: \(error.text)")
            return 1
        }
    }

    /// What a process inherits and a daemon can't use.
    private static func settleIn() {
        _ = signal(SIGPIPE, SIG_IGN)
        // A crash is for the keeper to mend, at once: the runtime's backtrace program would take seconds and hold our descriptors.
        for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { _ = signal(number, SIG_DFL) }
        umask(0o077)
        // Heeded before the first instruction; what this process starts is smaller.
        if environment(KEEPER_HEAP_VARIABLE) == KEEPER_HEAP { _ = unsafe unsetenv(KEEPER_HEAP_VARIABLE) }
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        var log = stat()
        if unsafe fstat(STDERR_FILENO, &log) == 0, log.st_mode & S_IFMT == S_IFREG, log.st_size > logLimit {
            _ = ftruncate(STDERR_FILENO, 0)
        }
    }

    private static func prepare(_ given: DaemonArguments) throws(Fault) -> (LinuxHost, Recovery, DiskStore, [String]) {
        try RunDirectory.prepare(given.state)
        let run = try RunDirectory(given.run)
        // Empty where the kernel does not tell: every boot is the same one then.
        let boot = Clock.bootIdentity() ?? ""
        let reading = StoreReading(directory: given.state, boot: boot)
        var parts = LinuxHost.Parts(
            keeper: Descriptor(owning: given.keeper), listener: Descriptor(owning: given.listener), run: run,
            state: given.state)
        parts.forcesSessionTracking = environment("ORCH_TRACKING") == "session"
        if let path = environment("ORCH_JOURNAL_SOCKET") { parts.forwarding.journald = path }
        if let path = environment("ORCH_SYSLOG_SOCKET") { parts.forwarding.syslog = path }
        if let notify = given.notify { parts.notify = .some(Descriptor(owning: notify)) }
        if let lock = given.lock { parts.lock = .some(Descriptor(owning: lock)) }
        if let program = given.keeperProgram { parts.keeperProgram = .some(Descriptor(owning: program)) }
        parts.edgeProgram = companion("orch-edge")
        let host = try LinuxHost(parts)
        let notes = host.notes
        let inheritance = try takeOver(host) { () throws(Fault) in
            let stacks = try reading.outcome().stored.stacks
            return { instance in
                let stack = stacks.first { $0.request.stack.name == instance.service.stack }?.request.stack
                let name = instance.service.service
                // The former daemon may have died before it told the launch its new name.
                return (stack?.service(name) ?? stack?.services.first { $0.renamedFrom == name })?.logging
            }
        }
        let (store, stored) = try reading.outcome()
        var recovery = Recovery.assembled(
            from: stored, notes: notes, isNewBoot: host.isNewBoot, boot: boot,
            survivors: inheritance.survivors, closed: inheritance.closed, sockets: inheritance.sockets,
            highestLaunch: inheritance.highestLaunch, seed: Clock.entropy())
        recovery.stored = inheritance.stored
        var history = store
        recovery.recall(from: &history)
        return (host, recovery, store, stored.remarks)
    }

    /// A keeper that is killed before it has handed over leaves its daemon what can be found: the living processes.
    private static func takeOver(
        _ host: LinuxHost, disk: () throws(Fault) -> (InstanceID) -> LoggingSpec?
    ) throws(Fault) -> LinuxHost.Inheritance {
        do { return try host.takeOver(disk: disk) } catch {
            guard host.isKeeperLost else { throw error }
            say("orch-keeper was killed before it had handed over: this process becomes the next one")
            throw host.becomeKeeper(companion("orch-keeper"), daemon: companion("orchd"))
        }
    }

    /// Why this program runs and not the one that was to; nil when it is.
    private static func fallback(_ given: DaemonArguments) -> String? {
        let before = "the program that served before, version \(OrchVersion.text), runs in its place"
        if given.isGivenUp {
            return "the upgrade was given up: its orch-keeper ended or did not begin to serve; \(before);"
                + " install one that works, then `orch daemon upgrade`; the daemon's log says more"
        }
        guard given.isFallback else { return nil }
        return "orchd ended at its start or soon after, again and again, or did not begin to serve: \(before);"
            + " install one that works, then `orch daemon upgrade`; the daemon's log says more"
    }

    private static func serve(
        _ given: DaemonArguments, _ host: LinuxHost, _ recovery: Recovery, _ store: DiskStore, _ remarks: [String],
        fallback: String?
    ) -> Int32 {
        let state = given.state
        var identity = DaemonIdentity(pid: getpid(), uid: getuid(), startedAt: host.now.wall) { instance, logging in
            func path(_ stream: LogStreamKind) -> String? {
                LogLayout.path(
                    for: stream, spec: logging, stack: instance.service.stack, service: instance.service.service,
                    replica: instance.replica, state: state)
            }
            return (path(.stdout), path(.stderr))
        }
        identity.fallback = fallback
        var conductor = Conductor(host: host, store: store, recovery: recovery, remarks: remarks, identity: identity)
        conductor.start()
        Failpoint.daemonReady.reach()
        host.commend()
        tell("ready \(getpid())\n", given.ready)
        say("ready, version \(OrchVersion.text), \(recovery.survivors.count) launches taken over")
        Failpoint.daemonServing.reach()
        while true {
            if let ending = conductor.turn() {
                say(ending == .shutdown ? "ended: everything is stopped" : "ended: another daemon takes over")
                return 0
            }
            if host.isKeeperDeaf {
                conductor.flush()
                say("error: orch-keeper has hung up: this daemon ends, the services run on, another one begins anew")
                return 1
            }
            if host.isKeeperLost {
                conductor.flush()
                say("orch-keeper was killed: this process becomes the next one, which starts another daemon")
                let fault = host.becomeKeeper(companion("orch-keeper"), daemon: companion("orchd"))
                say("error: \(fault.text); the services run on, and the next daemon adopts them")
                return 1
            }
        }
    }

    // MARK: Words and surroundings

    /// One line with the time and the pid into the daemon's own log.
    private static func say(_ text: String) {
        write("\(Clock.now.wall.rfc3339) orchd[\(getpid())] \(text)\n", to: STDERR_FILENO)
    }

    private static func tell(_ line: String, _ ready: Int32?) {
        guard let ready else { return }
        write(line, to: ready)
        close(ready)
    }

    private static func write(_ text: String, to fd: Int32) {
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.write(fd, bytes, bytes.count)
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// A program of ours: beside this one, never by PATH.
    private static func companion(_ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0 else { return nil }
        let own = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let slash = own.lastIndex(of: "/") else { return nil }
        let path = "\(own[..<slash])/\(name)"
        return unsafe access(path, X_OK) == 0 ? path : nil
    }
}
