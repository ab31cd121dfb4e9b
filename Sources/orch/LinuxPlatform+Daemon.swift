// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchLinux
internal import OrchModel

extension LinuxPlatform {
    /// How long the daemon may take until it listens and says so.
    private static let patience = Duration.seconds(30)

    /// How often a daemon is started anew that found the state directory locked: somebody else started one, or looked.
    private static let attempts = 5

    /// Starts the daemon and returns when one listens, whoever was first.
    func startDaemon() throws(Fault) {
        var attempt = 1
        while true {
            let line = try startOnce()
            if line.hasPrefix("ready") { return }
            // Without a word: the first daemon was killed before it could say so, and the keeper has started another.
            let isWorthATry = line.isEmpty || line.contains("is locked by")
            guard isWorthATry, attempt < Self.attempts else { throw failure(saying: line) }
            attempt += 1
            if let connection = try connect() { return close(connection) }
        }
    }

    /// Starts the keeper, which starts the daemon, and waits for its line: `ready`, or why not.
    private func startOnce() throws(Fault) -> String {
        let keeper = try program("orch-keeper")
        let daemon = try program("orchd")
        try HomePaths.prepare(paths.state)
        try HomePaths.prepare(paths.run)
        var ends: [Int32] = [-1, -1]
        let made = unsafe corch_pipe(&ends, 0)
        guard made == 0 else { throw Fault(step: "start", subject: "the daemon", reason: Errno.text(-made)) }
        defer { Glibc.close(ends[0]) }
        let arguments = [
            keeper, "--socket", paths.socket, "--lock", paths.lock, "--notify",
            RunDirectory.notifyAddress(of: paths.run),
            "--ready-fd", "3", "--daemon", daemon, "--", "--state", paths.state, "--run", paths.run,
        ]
        let pid: pid_t
        do throws(Fault) { pid = try spawn(arguments, ready: ends[1]) } catch {
            Glibc.close(ends[1])
            throw error
        }
        Glibc.close(ends[1])
        return try awaitReady(ends[0], starter: pid)
    }

    /// Beside this program, or in `../libexec/orch` from it; never by PATH.
    func program(_ name: String) throws(Fault) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else {
            throw Fault(
                step: "find", subject: name, reason: "/proc/self/exe can't be read: \(Errno.text(errno))",
                remedy: "mount /proc")
        }
        let own = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? ""
        let above = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? ""
        let candidates = ["\(folder)/\(name)", "\(above)/libexec/orch/\(name)"]
        if let found = candidates.first(where: { unsafe access($0, X_OK) == 0 }) { return found }
        throw Fault(
            step: "find", subject: name, reason: "it is neither \(candidates.joined(separator: " nor "))",
            remedy: "install orch's programs together: make install")
    }

    /// Standard output and errors go to the daemon's own log, descriptor 3 is the ready pipe.
    private func spawn(_ arguments: [String], ready: Int32) throws(Fault) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions, 1, paths.log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        unsafe posix_spawn_file_actions_adddup2(&actions, ready, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, arguments[0], &actions, &attributes, &words, environ)
        guard code == 0 else { throw Fault(step: "start", subject: arguments[0], reason: Errno.text(code)) }
        return pid
    }

    /// The keeper detaches, so its first process ends at once; the pipe tells the rest: `ready`, or why not.
    private func awaitReady(_ pipe: Int32, starter pid: pid_t) throws(Fault) -> String {
        let deadline = now.instant + Self.patience
        var said: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !said.contains(10) {
            var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let left = (deadline - now.instant).nanoseconds
            guard left > 0 else {
                throw Fault(
                    step: "start", subject: "the daemon",
                    reason: "it didn't say that it is ready within \(Self.patience.brief)",
                    remedy: "its log says more: \(paths.log)")
            }
            guard unsafe poll(&waiting, 1, Int32(clamping: left / 1_000_000 + 1)) > 0 else { continue }
            let length = chunk.count
            let count = unsafe Glibc.read(pipe, &chunk, length)
            if count > 0 { said += chunk[0..<count] } else if count == 0 || errno != EINTR { break }
        }
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
        return String(decoding: said.prefix { $0 != 10 }, as: UTF8.self)
    }

    private func failure(saying line: String) -> Fault {
        Fault(
            step: "start", subject: "the daemon", reason: line.isEmpty ? "it ended without a word" : line,
            remedy: "its log says more: \(paths.log)")
    }
}
