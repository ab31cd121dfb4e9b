// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

extension LinuxPlatform {
    func become(_ words: [String], beside process: ProcessMark) -> Fault {
        do {
            let surroundings = try Surroundings(of: process, on: self)
            try surroundings.take()
            try surroundings.replaceEnvironment(terminal: environment.last { $0.name == "TERM" }?.text)
        } catch { return error }
        _ = signal(SIGPIPE, SIG_DFL)
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        _ = unsafe execvp(words[0], &arguments)
        return Fault(step: "execute", subject: words[0], reason: Errno.text(errno))
    }
}

/// Where a living process stands: what a command must take over to see what it sees.
private struct Surroundings {
    /// `NAME=text`, without what only the process itself may answer to.
    private let environment: [String]
    private let user: uid_t
    private let group: gid_t
    private let groups: [gid_t]
    private let mask: mode_t
    private let boundingSet: UInt64?
    private let isWithoutNewPrivileges: Bool
    private let pid: pid_t
    /// By the number of the resource.
    private let limits: [rlimit?]

    /// prctl(2); the C library's header is not imported.
    private static let (dropBound, noNewPrivileges): (Int32, Int32) = (24, 38)

    /// With them a command would be counted among the processes of the launch, or speak for it.
    private static let own: Set = [
        "ORCH_LAUNCH", "ORCH_RUN", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS",
        "LISTEN_FDNAMES",
    ]
    private static let remedy = "run it as root, or as the service's user"

    init(of process: ProcessMark, on platform: LinuxPlatform) throws(Fault) {
        pid = process.pid
        func text(_ name: String) throws(Fault) -> String {
            do { return String(decoding: try platform.read("/proc/\(process.pid)/\(name)"), as: UTF8.self) } catch {
                var fault = error
                fault.remedy = Self.remedy
                throw fault
            }
        }
        environment = try text("environ").split(separator: "\0").map { String($0) }.filter { entry in
            !Self.own.contains(String(entry.prefix { $0 != "=" }))
        }
        limits = Self.limits(in: try text("limits"))
        var fields: [Substring: [Substring]] = [:]
        for line in try text("status").split(separator: "\n") {
            let parts = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
            if let name = parts.first { fields[name.dropLast()] = Array(parts.dropFirst()) }
        }
        // The second of four is the one that counts (proc_pid_status(5)).
        guard let uids = fields["Uid"], uids.count > 1, let user = uid_t(uids[1]), let gids = fields["Gid"],
            gids.count > 1, let group = gid_t(gids[1]),
            // The number may be another's by now.
            corch_process_start_ticks(process.pid) == Int64(process.startTicks)
        else { throw Fault(step: "look at", subject: "process \(process.pid)", reason: "it has ended meanwhile") }
        self.user = user
        self.group = group
        groups = (fields["Groups"] ?? []).compactMap { gid_t($0) }
        mask = fields["Umask"]?.first.flatMap { mode_t($0, radix: 8) } ?? 0o022
        boundingSet = fields["CapBnd"]?.first.flatMap { UInt64($0, radix: 16) }
        isWithoutNewPrivileges = fields["NoNewPrivs"]?.first == "1"
    }

    /// The folder before the user, who may enter it only because it is the process's own; privileges last. Root's setuid(2) and setgid(2)
    /// set all three numbers.
    func take() throws(Fault) {
        try takeMounts()
        takeLimits()
        umask(mask)
        guard unsafe chdir("/proc/\(pid)/cwd") == 0 else { throw refusal("enter the folder of", errno) }
        try dropCapabilities()
        if Set(groups) != Self.groups() || getegid() != group {
            guard unsafe setgroups(groups.count, groups) == 0 else { throw refusal("take the groups of", errno) }
            guard setgid(group) == 0 else { throw refusal("take the group of", errno) }
        }
        if geteuid() != user || getuid() != user {
            guard setuid(user) == 0 else { throw refusal("become the user of", errno) }
        }
        if isWithoutNewPrivileges { _ = corch_prctl(Self.noNewPrivileges, 1) }
    }

    /// Where it has its own. Before the folder, which may be there alone.
    private func takeMounts() throws(Fault) {
        func name(_ process: String) -> String {
            var text = [CChar](repeating: 0, count: 64)
            let length = unsafe readlink("/proc/\(process)/ns/mnt", &text, text.count - 1)
            return String(decoding: text.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        guard name("\(pid)") != name("self") else { return }
        let pidfd = corch_pidfd_open(pid)
        guard pidfd >= 0 else { throw refusal("see the mounts of", -pidfd) }
        defer { close(pidfd) }
        let joined = corch_join_mounts(pidfd)
        guard joined == 0 else { throw refusal("see the mounts of", -joined) }
    }

    /// As far as they may be had: one that is narrower than the service's harms nobody.
    private func takeLimits() {
        for (resource, limit) in limits.enumerated() {
            guard var limit else { continue }
            _ = unsafe setrlimit(__rlimit_resource_t(UInt32(resource)), &limit)
        }
    }

    /// proc_pid_limits(5): a heading, then a line for each resource in the order of their numbers, in columns of fixed width.
    private static func limits(in table: String) -> [rlimit?] {
        table.utf8.split(separator: 10).dropFirst().map { line in
            func column(_ start: Int) -> rlim_t? {
                let text = String(Substring(line.dropFirst(start).prefix { $0 != UInt8(ascii: " ") }))
                return text == "unlimited" ? rlim_t.max : rlim_t(text)
            }
            guard let soft = column(26), let hard = column(47) else { return nil }
            return rlimit(rlim_cur: soft, rlim_max: hard)
        }
    }

    /// A command for a look must not be able to do what the service was forbidden.
    private func dropCapabilities() throws(Fault) {
        guard let boundingSet else { return }
        for number in 0..<64 where boundingSet >> UInt64(number) & 1 == 0 {
            let failed = corch_prctl(Self.dropBound, UInt(number))
            // Behind the last one that the kernel has. And whoever may not drop any has none to gain by exec.
            guard failed != 0, failed != -EINVAL, geteuid() == 0 else { continue }
            throw refusal("take the capabilities of", -failed)
        }
    }

    func replaceEnvironment(terminal: String?) throws(Fault) {
        guard clearenv() == 0 else { throw refusal("take the environment of", ENOMEM) }
        let hasTerminal = environment.contains { $0.utf8.starts(with: "TERM=".utf8) }
        let all = environment + (hasTerminal ? [] : terminal.map { ["TERM=\($0)"] } ?? [])
        // putenv(3) keeps the string itself, until exec.
        for entry in all {
            guard unsafe putenv(strdup(entry)) == 0 else { throw refusal("take the environment of", errno) }
        }
    }

    private static func groups() -> Set<gid_t> {
        var found = [gid_t](repeating: 0, count: 65_536)
        let count = unsafe getgroups(Int32(found.count), &found)
        return Set(found.prefix(Int(max(0, count))))
    }

    private func refusal(_ step: String, _ code: Int32) -> Fault {
        Fault(step: step, subject: "process \(pid)", reason: Errno.text(code), remedy: Self.remedy)
    }
}
