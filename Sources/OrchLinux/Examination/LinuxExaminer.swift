// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
public import OrchModel

/// Looks at this machine for `orch doctor`. For one thread; what a file system has to answer is asked by another one, as it may never do so.
public final class LinuxExaminer: HostExaminer {
    let run: String
    private let patience: Duration
    private var mounts: MountTable?
    private let mounted: [MountTable.Device: Mount]
    /// Whether a file system has answered; those that have not are not asked again.
    private var answers: [MountTable.Device: Bool] = [:]

    struct Mount: Equatable {
        var kind: String
        var point: String
    }

    /// `state` and `run`: the daemon's folders, absolute. `patience`: how long a file system may take.
    public init(state: String, run: String, patience: Duration = .seconds(2)) {
        self.run = run
        self.patience = patience
        mounts = MountTable(home: state)
        mounted = Self.mounts(in: (try? SmallFile.read("/proc/self/mountinfo", limit: Limits.mountListBytes)) ?? [])
    }

    public var user: String { Account.nameOf(geteuid()) }

    // MARK: The host

    public func facts(daemon: Int32?) -> HostFacts {
        let process = daemon.map { "\($0)" } ?? "self"
        var facts = HostFacts()
        facts.kernel = number(in: "/proc/sys/kernel/osrelease") { String($0) } ?? ""
        facts.missingCalls = Self.missingCalls()
        facts.user = user
        let rights = Self.capabilities(of: process)
        facts.mayRaiseLimits = rights & Self.bit(of: .sysResource) != 0
        facts.mayTakeLowPorts = rights & Self.bit(of: .netBindService) != 0
        facts.lowestFreePort =
            number(in: "/proc/sys/net/ipv4/ip_unprivileged_port_start") { Int($0) } ?? facts.lowestFreePort
        facts.groups = ControlGroupRoot.examine(below: process)
        facts.limits = ProcessLimits.read(of: process)
        facts.mostDescriptors = number(in: "/proc/sys/fs/nr_open") { Int64($0) }
        facts.processes = ProcessRoom.closest(
            limits: facts.limits, mayExceed: rights & Self.bit(of: .sysResource) != 0, process: process)
        facts.inotifyObstacle = Self.inotifyObstacle()
        facts.inotifyInstances = number(in: "/proc/sys/fs/inotify/max_user_instances") { Int64($0) }
        facts.inotifyWatches = number(in: "/proc/sys/fs/inotify/max_user_watches") { Int64($0) }
        facts.hasTimeZones = ZoneFile.isInstalled
        facts.staleSocket = staleSocket()
        return facts
    }

    /// What a file of one line says.
    private func number<Value>(in path: String, _ read: (Substring) -> Value?) -> Value? {
        SmallFile.text(path, limit: 256).flatMap { read($0.prefix { $0 != "\n" }) }
    }

    private static func missingCalls() -> [KernelCall] {
        KernelCall.allCases.filter { call in
            switch call {
            case .pidfdOpen:
                let pidfd = corch_pidfd_open(getpid())
                if pidfd >= 0 { close(pidfd) }
                return pidfd == -ENOSYS || pidfd == -EPERM
            case .closeRange:
                // The last before the first is refused as that, -EINVAL.
                let answer = corch_close_range(1, 0, 0)
                return answer == -ENOSYS || answer == -EPERM
            case .clone3: return corch_has_clone3() != -EINVAL
            }
        }
    }

    /// `CapEff` of proc_pid_status(5).
    private static func capabilities(of process: String) -> UInt64 {
        for line in (SmallFile.text("/proc/\(process)/status", limit: 8192) ?? "").split(separator: "\n")
        where line.hasPrefix("CapEff:") {
            return Text.words(line).last.flatMap { UInt64($0, radix: 16) } ?? 0
        }
        return 0
    }

    private static func bit(of capability: Capability) -> UInt64 {
        Capability.allCases.firstIndex(of: capability).map { 1 << UInt64($0) } ?? 0
    }

    /// One instance and one watch are made, and go at once.
    private static func inotifyObstacle() -> Fault? {
        do {
            let instance = try Descriptor("inotify_init1", corch_inotify())
            let mask = UInt32(bitPattern: Int32(IN_DELETE_SELF))
            try Syscall.check("inotify_add_watch", unsafe corch_inotify_add(instance.number, "/", mask))
            return nil
        } catch {
            let isWatch = error.call == "inotify_add_watch"
            return error.fault(step: isWatch ? "watch a folder with" : "make an instance of", subject: "inotify")
        }
    }

    /// The control socket, if it is there and nobody listens at it.
    private func staleSocket() -> String? {
        let path = "\(run)/orch.sock"
        let socket = unsafe corch_unix_connect(path)
        if socket >= 0 { close(socket) }
        return socket == -ECONNREFUSED ? path : nil
    }

    // MARK: People

    public func person(_ user: String?, adding groups: [String]) throws(Fault) -> Person? {
        var process = ProcessSpec()
        process.groupAdd = groups
        return try Account.of(user, process).map {
            Person(name: $0.name, uid: $0.uid, gid: $0.gid, groups: $0.groups)
        }
    }

    // MARK: Paths

    public func obstacle(to use: PathUse, of path: String, as person: Person?) -> PathObstacle? {
        let answer = ask(about: path, as: person.flatMap { geteuid() == 0 && $0.uid != 0 ? $0 : nil }) {
            PathLook(path: path).obstacle(to: use)
        }
        guard let answer else {
            return PathObstacle(.silent, "its file system did not answer within \(patience.brief)")
        }
        return answer
    }

    public func interpreter(of path: String) -> String? {
        let answer = ask(about: path) { () -> String? in
            guard let head = try? SmallFile.read(path, limit: 256), head.starts(with: Array("#!".utf8)) else {
                return nil
            }
            let line = String(decoding: head.dropFirst(2).prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
            return Text.words(line[...]).first.map(String.init)
        }
        return answer ?? nil
    }

    public func fileSystem(of path: String) -> FileSystemFacts? {
        guard let device = mounts?.device(of: path) else { return nil }
        var facts = FileSystemFacts(kind: mounted[device]?.kind ?? "unknown")
        let found = ask(about: path) { PathLook(path: path).space() }
        guard let found else {
            facts.answers = false
            return facts
        }
        guard let found else { return nil }
        facts.space = found.space
        facts.files = found.files
        facts.isReadOnly = found.isReadOnly
        return facts
    }

    /// Nil when there was no answer in time, now or before.
    private func ask<Answer: Sendable>(
        about path: String, as person: Person? = nil, _ question: @escaping @Sendable () -> Answer
    ) -> Answer? {
        let device = mounts?.device(of: path) ?? ""
        guard hasAnswered(device) else { return nil }
        let answer = PatientQuestion.ask(within: patience) { () -> Answer in
            if let person { _ = unsafe corch_see_files_as(person.uid, person.gid, person.groups, person.groups.count) }
            return question()
        }
        switch answer {
        case .came(let answer): return answer
        case .late:
            answers[device] = false
            return nil
        }
    }

    /// Asked once, by a process of its own.
    private func hasAnswered(_ device: MountTable.Device) -> Bool {
        if let known = answers[device] { return known }
        let limit = Int32(clamping: patience.nanoseconds / 1_000_000)
        // Where nobody can be sent to ask, the threads will see.
        let answer = mounted[device].map { unsafe corch_file_system_answers($0.point, limit) != 0 } ?? true
        answers[device] = answer
        return answer
    }

    /// `36 35 98:0 /root /mount/point rw shared:1 - ext4 /dev/sda1 rw`: the fifth word and the one behind the dash, by the third.
    static func mounts(in list: [UInt8]) -> [MountTable.Device: Mount] {
        var found: [MountTable.Device: Mount] = [:]
        for line in list.split(separator: 10) {
            let words = line.split(separator: 32)
            guard let dash = words.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash > 5, dash + 1 < words.count
            else { continue }
            found[String(decoding: words[2], as: UTF8.self)] = Mount(
                kind: String(decoding: words[dash + 1], as: UTF8.self),
                point: String(decoding: MountTable.plain(words[4]), as: UTF8.self))
        }
        return found
    }

    // MARK: Ports

    public func obstacle(to port: PortSpec) -> PortObstacle? {
        var holder: ServiceID?
        let mark = RunDirectory.mark(of: run)
        let claim = PortClaim(holder: { _ in nil }) { pid in
            holder = ProcessTable.service(of: pid, mark: mark)
            return holder.map { "\($0.stack)/\($0.service)" }
        }
        do {
            _ = try claim.claim([port])
            return nil
        } catch { return PortObstacle(error.fault, holder: holder) }
    }

    public func obstacle(to address: SocketSpec.Address) -> PortObstacle? {
        if let other = openedSockets.first(where: { $0.spec.listen.overlaps(address) }) {
            return PortObstacle(ListeningSocket.taken(address, byService: other.service), holder: other.service)
        }
        switch address {
        case .tcp(let host, let number):
            var port = PortSpec(port: number)
            port.host = host
            return obstacle(to: port)
        case .file(let path):
            let code = ask(about: path) { ListeningSocket.obstacle(at: path) } ?? nil
            return code.map { PortObstacle(ListeningSocket.fault($0, at: address)) }
        case .abstract: return nil
        }
    }
}
