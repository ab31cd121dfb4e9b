// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
public import OrchModel

extension LinuxExaminer {
    public func process(_ mark: ProcessMark) -> ProcessFacts? {
        // Twice, as the number may become another's while the rest is read.
        guard isStill(mark), let use = ProcessUse(of: mark.pid) else { return nil }
        let user = ProcessTable.user(of: mark.pid).map { Account.nameOf($0) } ?? "?"
        let facts = ProcessFacts(
            mark: mark, parent: use.parent, user: user, command: ProcessTable.commandLine(of: mark.pid), cpu: use.cpu,
            memoryBytes: use.memoryBytes, descriptors: ProcessTable.descriptors(of: mark.pid), threads: use.threads,
            startedAt: Self.start(mark.startTicks))
        return isStill(mark) ? facts : nil
    }

    private func isStill(_ mark: ProcessMark) -> Bool {
        corch_process_start_ticks(mark.pid) == Int64(clamping: mark.startTicks)
    }

    /// Ticks count from the boot, and go on while the machine sleeps.
    private static func start(_ ticks: UInt64) -> WallTime {
        let perSecond = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        let age = corch_clock(CLOCK_BOOTTIME) - Int64(clamping: ticks) * (1_000_000_000 / perSecond)
        return Clock.now.wall + .nanoseconds(-max(0, age))
    }
}

/// What proc_pid_stat(5) says that a process uses itself: fields 4, 14, 15, 20 and 24.
private struct ProcessUse {
    var parent: Int32
    var cpu: Duration
    var threads: Int
    var memoryBytes: Int64

    init?(of pid: Int32) {
        guard let text = SmallFile.text("/proc/\(pid)/stat", limit: 1024), let close = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 21, let parent = Int32(fields[1]), let user = Int64(fields[11]),
            let system = Int64(fields[12]),
            let threads = Int(fields[17]), let pages = Int64(fields[21])
        else { return nil }
        self.parent = parent
        cpu = .nanoseconds((user + system) * (1_000_000_000 / Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))))
        self.threads = threads
        memoryBytes = pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
