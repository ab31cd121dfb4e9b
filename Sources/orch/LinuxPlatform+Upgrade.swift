// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchLinux
internal import OrchModel
internal import OrchWire

/// The programs beside this one, as what a running daemon shall be replaced by.
extension LinuxPlatform {
    /// How long a program may take to say what it is.
    private static let introductionPatience = Duration.seconds(10)

    /// Both are run and asked, so that what can't run here, or can't read the state, is found before anything is touched.
    func examinePrograms() throws(Fault) -> Upgrade {
        let keeper = try program("orch-keeper")
        let daemon = try program("orchd")
        let keeperWords = try introduction([keeper, "--version"])
        // Before the first start there is nothing to read.
        let isFirst = unsafe access("\(paths.state)/revisions", F_OK) != 0
        let daemonWords = try introduction([daemon, "--version"] + (isFirst ? [] : ["--state", paths.state]))
        guard keeperWords.count == 3, keeperWords[0] == "orch-keeper", let spoken = Int(keeperWords[2]) else {
            throw unknown(keeper, keeperWords)
        }
        guard daemonWords.count == 4, daemonWords[0] == "orchd" else { throw unknown(daemon, daemonWords) }
        guard daemonWords[1] == OrchVersion.text, daemonWords[3] == keeperWords[2] else {
            throw Fault(
                step: "upgrade to", subject: daemon,
                reason:
                    "it is version \(daemonWords[1]) with protocol \(daemonWords[3]), this orch is \(OrchVersion.text), and orch-keeper has protocol \(keeperWords[2])",
                remedy: "install orch's programs together: make install")
        }
        return Upgrade(keeper: keeper, daemon: daemon, keeperProtocol: spoken)
    }

    private func unknown(_ path: String, _ words: [String]) -> Fault {
        Fault(
            step: "upgrade to", subject: path,
            reason: "asked for its version it says `\(words.joined(separator: " "))`, as no program of orch does",
            remedy: "install orch's programs together: make install")
    }

    /// The words of its first line.
    private func introduction(_ arguments: [String]) throws(Fault) -> [String] {
        var ends: [Int32] = [-1, -1]
        let made = unsafe corch_pipe(&ends, 0)
        guard made == 0 else { throw Fault(step: "run", subject: arguments[0], reason: Errno.text(-made)) }
        defer { Glibc.close(ends[0]) }
        let pid: pid_t
        do throws(Fault) { pid = try spawn(arguments, output: ends[1]) } catch {
            Glibc.close(ends[1])
            throw error
        }
        Glibc.close(ends[1])
        let said = read(untilEndOf: ends[0], of: corch_pidfd_open(pid))
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let line = String(decoding: said.prefix { $0 != 10 }, as: UTF8.self)
        guard status == 0 else {
            let end = status & 0x7f == 0 ? "it exited with \(status >> 8)" : "it was killed by signal \(status & 0x7f)"
            throw Fault(
                step: "upgrade to", subject: arguments[0],
                reason: line.isEmpty ? "\(end) when it was asked for its version" : line,
                remedy: "nothing was touched; install a version that runs here")
        }
        return line.split(separator: " ").map { String($0) }
    }

    /// What doesn't come to its end in time is killed. Closes the pidfd.
    private func read(untilEndOf pipe: Int32, of pidfd: Int32) -> [UInt8] {
        defer { Glibc.close(pidfd) }
        let deadline = now.instant + Self.introductionPatience
        var said: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let left = (deadline - now.instant).nanoseconds
            guard left > 0 else {
                _ = corch_pidfd_signal(pidfd, SIGKILL)
                return said
            }
            guard unsafe poll(&waiting, 1, Int32(clamping: left / 1_000_000 + 1)) > 0 else { continue }
            let length = chunk.count
            let count = unsafe Glibc.read(pipe, &chunk, length)
            if count > 0 { said += chunk[0..<count] } else if count == 0 || errno != EINTR { return said }
        }
    }

    private func spawn(_ arguments: [String], output: Int32) throws(Fault) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
        var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, arguments[0], &actions, nil, &words, environ)
        guard code == 0 else {
            throw Fault(
                step: "run", subject: arguments[0], reason: Errno.text(code),
                remedy: "nothing was touched; install a version that runs here")
        }
        return pid
    }
}
