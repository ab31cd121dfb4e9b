// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// A process that can't be mistaken for a later one with the same number: its pid and when it started.
struct ProcessIdentity: Hashable {
    var pid: Int32
    /// Field 22 of proc_pid_stat(5).
    var startTicks: UInt64

    /// Sends the signal through a pidfd, after the pidfd proved to be this very process. False when it is gone.
    @discardableResult
    func send(_ signal: Signal) -> Bool {
        let fd = corch_pidfd_open(pid)
        guard fd >= 0 else { return false }
        let process = Descriptor(owning: fd)
        // The order matters: the pidfd pins the process, then the start time says which one it pinned.
        guard corch_process_start_ticks(pid) == Int64(startTicks) else { return false }
        return corch_pidfd_signal(process.number, signal.number) == 0
    }
}

/// One line of the process table, proc_pid_stat(5).
struct ProcessEntry {
    var identity: ProcessIdentity
    var command: String
    var parent: Int32
    var session: Int32
    /// A zombie with no thread left counts as gone.
    var isAlive: Bool
    /// Of itself and the children it waited for, in ticks of 1/100 s.
    var ticks: UInt64
    var residentBytes: Int64
    var threads: Int

    var pid: Int32 { identity.pid }
}

/// What `/proc` tells of processes. Nothing here acts.
enum ProcessTable {
    /// All processes that this user may see.
    static func scan() -> [ProcessEntry] {
        SmallFile.names(in: "/proc").compactMap { Int32($0) }.compactMap { entry(of: $0) }
    }

    /// Nil when there is no such process.
    static func entry(of pid: Int32) -> ProcessEntry? {
        guard let text = SmallFile.text("/proc/\(pid)/stat", limit: 1024) else { return nil }
        // The name, field 2, may hold anything, also blanks and parentheses.
        guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 21, let parent = Int32(fields[1]), let session = Int32(fields[3]),
            let start = UInt64(fields[19])
        else { return nil }
        let isZombie = fields[0] == "Z" || fields[0] == "X"
        let ticks = fields[11...14].reduce(UInt64(0)) { $0 + (UInt64($1) ?? 0) }
        let threads = Int(fields[17]) ?? 1
        return ProcessEntry(
            identity: ProcessIdentity(pid: pid, startTicks: start),
            command: String(text[text.index(after: open)..<close]), parent: parent,
            session: session, isAlive: !isZombie || threads > 1, ticks: ticks,
            residentBytes: (Int64(fields[21]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))),
            threads: threads)
    }

    /// How many descriptors it has open; nil when this user may not look.
    static func descriptors(of pid: Int32) -> Int? { SmallFile.entries(of: "/proc/\(pid)/fd")?.count }

    /// What was executed, for people; the name in brackets when the arguments can't be read, as ps(1) does.
    static func commandLine(of pid: Int32) -> String {
        if let bytes = bytes("/proc/\(pid)/cmdline", limit: 256) {
            let text = Text.printable(bytes, limit: 120)
            if !text.isEmpty { return text }
        }
        guard let name = bytes("/proc/\(pid)/comm", limit: 64) else { return "?" }
        return "[\(Text.printable(name, limit: 64))]"
    }

    /// The environment it was executed with; nil when it may not be read.
    static func environment(of pid: Int32) -> [String]? {
        bytes("/proc/\(pid)/environ", limit: 1 << 20).map { Text.pieces($0, separatedBy: 0) }
    }

    /// The launch whose mark is in its environment, if `mark` is that of the run directory there. What most processes have to answer at a
    /// daemon's start: they are strangers, so nothing else of them is read.
    static func launch(of pid: Int32, mark: String) -> UInt64? {
        guard let environment = bytes("/proc/\(pid)/environ", limit: 1 << 20) else { return nil }
        func value(_ name: String) -> Substring? {
            let start = Array("\(name)=".utf8)
            var place = 0
            while place < environment.count {
                let end = environment[place...].firstIndex(of: 0) ?? environment.count
                let entry = environment[place..<end]
                if entry.starts(with: start) {
                    return String(decoding: entry.dropFirst(start.count), as: UTF8.self)[...]
                }
                place = end + 1
            }
            return nil
        }
        guard let run = value("ORCH_RUN"), run == mark else { return nil }
        return value("ORCH_LAUNCH").flatMap { UInt64($0) }
    }

    /// The service that it belongs to, by the environment that it was executed with, if `mark` is that of the run directory there.
    static func service(of pid: Int32, mark: String) -> ServiceID? {
        guard let environment = environment(of: pid) else { return nil }
        func value(_ name: String) -> String? {
            environment.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        guard value("ORCH_RUN") == mark, let stack = value("ORCH_STACK"), let service = value("ORCH_SERVICE") else {
            return nil
        }
        return ServiceID(stack: stack, service: service)
    }

    /// The user it runs as; nil when there is no such process.
    static func user(of pid: Int32) -> UInt32? {
        guard let status = SmallFile.text("/proc/\(pid)/status", limit: 4096) else { return nil }
        for line in status.split(separator: "\n") where line.hasPrefix("Uid:") {
            let words = Text.words(line)
            return words.count > 2 ? UInt32(words[2]) : nil
        }
        return nil
    }

    private static func bytes(_ path: String, limit: Int) -> [UInt8]? {
        do {
            let bytes = try SmallFile.read(path, limit: limit)
            return bytes.isEmpty ? nil : bytes
        } catch { return nil }
    }
}
