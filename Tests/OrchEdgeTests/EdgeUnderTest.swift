// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchEngine
import OrchLinux
import OrchModel

/// A real `orch-edge` process, and the daemon's end of its socket.
final class EdgeUnderTest {
    private var link: EdgeLink
    let pid: pid_t
    private var nextID: UInt64 = 1

    struct Failure: Error { var what: String }

    init() throws {
        let sockets = try EdgeLink.pair()
        pid = try EdgeUnderTest.spawn(descriptor: sockets.edge.number)
        link = EdgeLink(descriptor: sockets.daemon)
    }

    deinit {
        // It may have ended by itself; the zombie keeps the number ours until it is waited for.
        kill(pid, SIGKILL)
        _ = waitpid(pid, nil, 0)
    }

    var isAlive: Bool { link.isAlive }

    /// Sends a question and gives its number.
    func ask(_ probe: HTTPProbe, timeout: Duration = .seconds(5)) -> UInt64 {
        defer { nextID += 1 }
        link.ask(id: nextID, request: probe, timeout: timeout, now: now())
        return nextID
    }

    /// One question, one answer.
    func answer(to probe: HTTPProbe, timeout: Duration = .seconds(5)) throws -> ProbeResult {
        let id = ask(probe, timeout: timeout)
        guard let (found, result) = try answers(1).first, found == id else { throw Failure(what: "another answer") }
        return result
    }

    func answer(to url: String, timeout: Duration = .seconds(5)) throws -> ProbeResult {
        try answer(to: HTTPProbe(url: url), timeout: timeout)
    }

    /// Waits for so many answers, at most 20 s.
    func answers(_ count: Int) throws -> [(UInt64, ProbeResult)] {
        let deadline = now() + .seconds(20)
        var answers = link.receive()
        while answers.count < count {
            let left = Int32(clamping: (deadline - now()).nanoseconds / 1_000_000)
            guard left > 0 else { throw Failure(what: "\(answers.count) of \(count) answers after 20s") }
            var event = pollfd(
                fd: link.descriptor, events: Int16(POLLIN | (link.wantsToWrite ? POLLOUT : 0)), revents: 0)
            _ = unsafe poll(&event, 1, left)
            answers += link.receive()
        }
        return answers
    }

    func expire(after span: Duration) { link.expire(at: now() + span) }

    func now() -> Instant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// Hangs up, then waits for the end of the process: its status, as waitpid(2) gives it.
    static func statusAfterHangUp() throws -> Int32 {
        let sockets = try EdgeLink.pair()
        let pid = try spawn(descriptor: sockets.edge.number)
        try hangUp(sockets)
        var status: Int32 = -1
        _ = unsafe waitpid(pid, &status, 0)
        return status
    }

    private static func hangUp(_ sockets: consuming EdgeSockets) throws {}

    static func spawn(descriptor: Int32) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for standard: Int32 in 0...2 {
            unsafe posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, 3)
        let path = try program()
        var pid: pid_t = 0
        let name = unsafe strdup(path)
        defer { unsafe free(name) }
        let code = unsafe posix_spawn(&pid, path, &actions, nil, [name, nil], environ)
        guard code == 0 else { throw Failure(what: "\(path): \(SystemError.sentence(code))") }
        return pid
    }

    /// Beside the test's own program.
    private static func program() throws -> String {
        var path = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count > 0 else { throw Failure(what: "no /proc/self/exe") }
        let own = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let slash = own.lastIndex(of: "/") else { throw Failure(what: own) }
        return own[...slash] + "orch-edge"
    }
}
