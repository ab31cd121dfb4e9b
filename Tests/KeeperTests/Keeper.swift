// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux

struct Timeout: Error, CustomStringConvertible {
    var description: String
}

/// A real orch-keeper in a directory of its own. Its daemon is keeper-probe, which lends its end of the socket to the test:
/// the test is the daemon's mind, the probe its mortal body.
final class Keeper {
    let directory: String
    let pid: Int32
    private let meeting: Descriptor
    private(set) var link: KeeperLink
    private(set) var daemon: Daemon
    private var messages: [KeeperMessage] = []
    /// How often a daemon has said that it serves.
    var servings: UInt64 = 0
    private let pidfd: Descriptor

    struct Daemon {
        var pid: Int32
        var hasReadyDescriptor: Bool
        var connection: DescriptorNumber
        var listener: DescriptorNumber
        var keeper: DescriptorNumber
    }

    /// A descriptor with a shared owner.
    final class DescriptorNumber {
        let number: Int32
        init(_ number: Int32) { self.number = number }
        deinit { close(number) }
    }

    static let deadlineSeconds = 20

    /// The daemon's program.
    let probe: String

    /// `ownsProbe`: the daemon's program is a copy, which the test may replace.
    init(path: String = "orch.sock", options: [String] = [], ownsProbe: Bool = false) throws {
        directory = try makeDirectory()
        probe = ownsProbe ? directory + "/keeper-probe" : tool("keeper-probe")
        if ownsProbe {
            let copying = try execute(["/bin/cp", tool("keeper-probe"), probe], log: "/dev/null")
            var status: Int32 = 0
            _ = unsafe waitpid(copying, &status, 0)
        }
        let meetingPath = directory + "/meeting"
        meeting = try Descriptor("listen", unsafe corch_unix_listen(meetingPath, 8))
        pid = try execute(
            [
                tool("orch-keeper"), "--foreground", "--socket", directory + "/" + path, "--lock", directory + "/lock",
                "--daemon", probe,
            ] + options + ["--", meetingPath], log: directory + "/log")
        pidfd = try Descriptor("pidfd_open", corch_pidfd_open(pid))
        daemon = try Keeper.meet(meeting.number)
        link = try Keeper.join(daemon)
    }

    deinit {
        let left = "/proc/\(pid)/task/\(pid)/children"
        for child in contents(left).split(separator: " ") {
            if let child = Int32(child), child != daemon.pid { kill(child, SIGKILL) }
        }
        kill(pid, SIGKILL)
        kill(daemon.pid, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
        removeDirectory(directory)
    }

    /// Ends the daemon as `kill -9` does and meets the next one.
    func killDaemon() throws {
        kill(daemon.pid, SIGKILL)
        try meetNext()
    }

    func meetNext() throws {
        daemon = try Keeper.meet(meeting.number)
        messages = []
        link = try Keeper.join(daemon)
    }

    /// Tells the probe to exit with this code.
    func dismissDaemon(code: UInt8) {
        unsafe withUnsafeBytes(of: code) { _ = unsafe send(daemon.connection.number, $0.baseAddress, 1, Int32(0x4000)) }
    }

    /// The keeper's exit code once it has ended; 128 + signal when it was killed.
    func end() throws -> Int32 {
        guard ready(pidfd.number) else { throw Timeout(description: "the keeper does not end") }
        var status: Int32 = 0
        _ = unsafe waitpid(pid, &status, 0)
        return status & 0x7f == 0 ? status >> 8 : 128 + status & 0x7f
    }

    /// The next message that `pick` wants; others stay for later.
    func wait<Wanted>(_ what: String, _ pick: (KeeperMessage) -> Wanted?) throws -> Wanted {
        let end = corch_clock(CLOCK_MONOTONIC) + Int64(Keeper.deadlineSeconds) * 1_000_000_000
        var looked = 0
        while true {
            while looked < messages.count {
                if let wanted = pick(messages[looked]) {
                    messages.remove(at: looked)
                    return wanted
                }
                looked += 1
            }
            guard corch_clock(CLOCK_MONOTONIC) < end, ready(link.number, writing: link.wantsWrite) else {
                throw Timeout(description: "no \(what); there is \(messages)")
            }
            try link.flush()
            messages += try link.receive()
        }
    }

    /// What has come and nobody waited for.
    var unheard: [KeeperMessage] { messages }

    private static func join(_ daemon: Daemon) throws -> KeeperLink {
        try KeeperLink(descriptor: Descriptor(owning: dup(daemon.keeper.number)))
    }

    static func meet(_ meeting: Int32) throws -> Daemon {
        guard ready(meeting) else { throw Timeout(description: "no daemon") }
        let connection = try Descriptor("accept", corch_accept(meeting))
        guard ready(connection.number) else { throw Timeout(description: "the daemon says nothing") }
        var message: (Int32, Int32, Int32) = (0, 0, 0)
        var numbers: (Int32, Int32) = (-1, -1)
        var count: Int32 = 2
        let length = unsafe withUnsafeMutableBytes(of: &message) { bytes in
            unsafe withUnsafeMutableBytes(of: &numbers) { numbers in
                unsafe corch_receive(
                    connection.number, bytes.baseAddress, 12,
                    numbers.assumingMemoryBound(to: Int32.self).baseAddress, &count, 0)
            }
        }
        guard length == 12, count == 2 else { throw Timeout(description: "the daemon says \(length) bytes") }
        return Daemon(
            pid: message.0, hasReadyDescriptor: message.1 >= 0, connection: DescriptorNumber(connection.release()),
            listener: DescriptorNumber(numbers.1), keeper: DescriptorNumber(numbers.0))
    }
}

/// poll(2) until readable (or writable), at most the tests' deadline.
func ready(_ descriptor: Int32, writing: Bool = false) -> Bool {
    var one = pollfd(fd: descriptor, events: Int16(POLLIN | (writing ? POLLOUT : 0)), revents: 0)
    return unsafe poll(&one, 1, Int32(Keeper.deadlineSeconds * 1000)) == 1
}

/// The build directory's program, next to the test bundle.
func tool(_ name: String) -> String {
    var path = [CChar](repeating: 0, count: 4096)
    let length = unsafe readlink("/proc/self/exe", &path, 4096)
    let own = String(decoding: path.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex) + name
}

func makeDirectory() throws -> String {
    var template = Array("/tmp/orch-keeper-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw SystemError("mkdtemp", code: errno) }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

func removeDirectory(_ path: String) {
    guard let pid = try? execute(["/bin/rm", "-rf", path], log: "/dev/null") else { return }
    var status: Int32 = 0
    _ = unsafe waitpid(pid, &status, 0)
}

/// Starts a program with /dev/null as input, `log` as output and, when asked, a ready pipe's end as descriptor 3.
func execute(_ arguments: [String], log: String, ready: Int32? = nil) throws -> Int32 {
    let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
    defer { unsafe actions.deallocate() }
    unsafe posix_spawn_file_actions_init(actions)
    defer { unsafe posix_spawn_file_actions_destroy(actions) }
    unsafe posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    unsafe posix_spawn_file_actions_adddup2(actions, 1, 2)
    if let ready { unsafe posix_spawn_file_actions_adddup2(actions, ready, 3) }
    var pid: Int32 = 0
    var strings = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe strings.forEach { unsafe free($0) } }
    let code = unsafe posix_spawn(&pid, arguments[0], actions, nil, &strings, environ)
    guard code == 0 else { throw SystemError("posix_spawn \(arguments[0])", code: code) }
    return pid
}

/// Everything until the end of the file or of the pipe; empty when it can't be opened.
func contents(_ path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    let descriptor = Descriptor(owning: file)
    return contents(of: descriptor.number)
}

func contents(of descriptor: Int32) -> String {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while ready(descriptor) {
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { break }
        all += chunk.prefix(count)
    }
    return String(decoding: all, as: UTF8.self)
}
