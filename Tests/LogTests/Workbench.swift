// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchLinux
import OrchModel
import Testing

/// A folder that goes away with its test, and what tests do with files in it.
final class Workbench: Sendable {
    let folder: String

    init(in parent: String = "/tmp") throws {
        var template = Array("\(parent)/orch-logs-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        try #require(unsafe made != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? Process(["/bin/rm", "-rf", folder]).wait() }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// The bytes of a file; empty when it isn't there.
    func bytes(_ path: String) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var found = stat()
        guard unsafe fstat(file, &found) == 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: Int(found.st_size))
        let got = unsafe read(file, &bytes, bytes.count)
        return got == bytes.count ? bytes : Array(bytes.prefix(max(0, got)))
    }

    func text(_ name: String) -> String { String(decoding: bytes(path(name)), as: UTF8.self) }

    func write(_ name: String, _ text: String) {
        let file = unsafe open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        _ = unsafe Glibc.write(file, text, text.utf8.count)
        close(file)
    }

    func names() -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            names.append(
                unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names.sorted()
    }

    /// The segments of a log, oldest first, the active file last.
    func segments(_ name: String) -> [[UInt8]] {
        let numbers = LogLayout.segments(of: name, among: names())
        return numbers.map { bytes(path(LogLayout.segment(name, $0))) } + [bytes(path(name))]
    }

    func entries(_ name: String) -> [LogIndex.Entry] {
        let all = bytes(path(LogLayout.index(of: name)))
        return stride(from: LogIndex.headerBytes, to: all.count, by: LogIndex.entryBytes).compactMap {
            LogIndex.decode(all, at: $0)
        }
    }
}

/// Two folders that are on two file systems.
func isElsewhere(_ folder: String, than other: String) -> Bool {
    var (one, two) = (stat(), stat())
    return unsafe stat(folder, &one) == 0 && stat(other, &two) == 0 && one.st_dev != two.st_dev
}

/// Compares as memcmp(3) does: quick in a debug build too.
func same(_ a: [UInt8], _ b: [UInt8]) -> Bool { unsafe a.count == b.count && memcmp(a, b, a.count) == 0 }

/// A real child, with chosen descriptors and nothing else of ours.
final class Process: Sendable {
    let pid: pid_t

    /// `descriptors`: child's number to ours; 0, 1 and 2 are `/dev/null` when not named.
    init(_ words: [String], _ descriptors: [Int32: Int32] = [:]) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for standard in Int32(0)...2 where descriptors[standard] == nil {
            unsafe posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0)
        }
        // Copies out of the way first, so that no target is another one's source.
        let copies = try descriptors.map { (target, source) in
            (target, try Descriptor("fcntl", fcntl(source, F_DUPFD_CLOEXEC, 100)).release())
        }
        defer { for (_, copy) in copies { close(copy) } }
        for (target, copy) in copies { unsafe posix_spawn_file_actions_adddup2(&actions, copy, target) }
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let failed = unsafe posix_spawn(&pid, words[0], &actions, nil, &arguments, environ)
        try #require(failed == 0, "posix_spawn \(words[0])")
        self.pid = pid
    }

    func kill() { _ = Glibc.kill(pid, SIGKILL) }

    /// Its wait status.
    @discardableResult
    func wait() throws -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(pid, &status, 0) < 0 {
            try #require(errno == EINTR)
        }
        return status
    }
}

func put(_ bytes: [UInt8], _ descriptor: Int32) {
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), bytes.count - done)
        }
        guard count > 0 else { return }
        done += count
    }
}

func put(_ text: String, _ descriptor: borrowing Descriptor) { put(Array(text.utf8), descriptor.number) }

/// The notices of a pump until one that is awaited, at most for 20 s.
@discardableResult
func notices(of pump: LogPump, until isLast: (LogNotice) -> Bool) -> [LogNotice] {
    var all: [LogNotice] = []
    let deadline = ContinuousClock.now + .seconds(20)
    while !all.contains(where: isLast), ContinuousClock.now < deadline {
        var poll = pollfd(fd: pump.noticeDescriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, 1_000)
        all += pump.takeNotices()
    }
    let hasCome = all.contains(where: isLast)
    #expect(hasCome, "the awaited notice is missing: \(all)")
    return all
}

/// What became of the files of that rotation; nothing where nobody said so.
func rotated(_ number: UInt64, by pump: LogPump) -> [LogRotation] {
    let all = notices(of: pump) { if case .rotated(number, _) = $0 { true } else { false } }
    for case .rotated(number, let files) in all { return files }
    return []
}

/// Ends the launch and waits for its pipes.
@discardableResult
func drain(_ pump: LogPump, _ launch: LaunchID) -> [LogNotice] {
    pump.finish(launch)
    return notices(of: pump) { $0 == .drained(launch, bytesLeft: 0) }
}

/// Waits until `fact` holds, at most for 20 s.
func awaitFact(_ what: String, _ fact: () -> Bool) {
    let deadline = ContinuousClock.now + .seconds(20)
    while !fact() {
        guard ContinuousClock.now < deadline else {
            Issue.record("never came true: \(what)")
            return
        }
        _ = poll(nil, 0, 5)
    }
}

/// Now, by the clock on the wall.
func wallTime() -> WallTime {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    return WallTime(nanoseconds: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
}

func rotation(_ size: Int64?, keep: Int = 5) -> LoggingSpec.Rotation {
    var rotation = LoggingSpec.Rotation()
    rotation.size = size
    rotation.keep = keep
    return rotation
}

extension LogNotice {
    var isRemark: Bool { if case .remark = self { true } else { false } }
    func says(_ text: String) -> Bool { if case .remark(let said) = self { said.contains(text) } else { false } }
}
