// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchEngine
internal import OrchModel

/// Adds up what trees use. A look costs some ten microseconds a process, most of it the kernel's for opening files.
struct TreeMeter {
    /// What the process table says of some processes together.
    struct Sum {
        var ticks: UInt64 = 0
        var pages: UInt64 = 0
        var threads = 0
        var pids: [Int32] = []
    }

    private static let usageKey = Array("usage_usec".utf8)
    private var reader = KernelReader()
    private let pageBytes = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    private let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    /// Microseconds of processor time and bytes; nil when nothing of it is left. `groupsCountMemory`: groups have the memory controller.
    mutating func use(
        of record: LaunchRecord, _ scanned: [ProcessEntry], groupsCountMemory: Bool
    ) -> (UInt64, Int64?)? {
        if let group = record.group, groupsCountMemory {
            let memory = reader.number("\(group.path)/memory.current").map { Int64(clamping: $0) }
            return (reader.number("\(group.path)/cpu.stat", behind: Self.usageKey) ?? 0, memory)
        }
        // Without the controller the process table tells both: two files for most services.
        let sum = sum(of: record, scanned)
        if record.group == nil, sum.pids.isEmpty { return nil }
        return (microseconds(sum.ticks), bytes(sum.pages))
    }

    /// One look for its limits; only what they are about is measured.
    mutating func sample(
        _ record: LaunchRecord, _ limits: ResourceLimits, _ scanned: [ProcessEntry]
    ) -> ResourceSample {
        var sample = ResourceSample(launch: record.launch)
        sample.held = record.group?.held(limits) ?? []
        let charged = limits.memory == nil ? nil : charged(record.group)
        let isTableNeeded = limits.limited.contains { resource in
            switch resource {
            case .memory: charged == nil
            case .cpus: record.group == nil
            case .pids, .threads: !sample.held.contains(resource)
            case .files: true
            }
        }
        let sum = isTableNeeded ? sum(of: record, scanned) : Sum()
        if let limit = limits.memory { sample.memoryBytes = charged ?? resident(sum, limit: limit) }
        if limits.cpus != nil { sample.cpuTime = cpuTime(of: record, sum) }
        if isTableNeeded {
            sample.pids = sum.pids.count
            sample.threads = sum.threads
        }
        if limits.files != nil { sample.files = files(of: sum) }
        guard let group = record.group, let tasks = ControlGroup.tasks(limits), sample.held.contains(tasks.resource)
        else { return sample }
        let count = reader.number("\(group.path)/pids.current").map { Int($0) }
        if tasks.resource == .pids { sample.pids = count } else { sample.threads = count }
        sample.refusals = reader.number("\(group.path)/pids.events", behind: Array("max".utf8)) ?? 0
        return sample
    }

    private mutating func sum(of record: LaunchRecord, _ scanned: [ProcessEntry]) -> Sum {
        var sum = Sum()
        guard let group = record.group else {
            for entry in scanned {
                sum.ticks += entry.ticks
                sum.pages += UInt64(max(0, entry.residentBytes)) / pageBytes
                sum.threads += entry.threads
                sum.pids.append(entry.pid)
            }
            return sum
        }
        for folder in group.folders() {
            for pid in reader.numbers("\(folder)/cgroup.procs") {
                guard pid > 0, let use = reader.use(ofProcess: pid) else { continue }
                sum.ticks += use.ticks
                sum.pages += use.pages
                sum.threads += use.threads
                sum.pids.append(pid)
            }
        }
        return sum
    }

    /// What a group is charged with but for what the kernel would take back first; nil without the controller.
    private mutating func charged(_ group: ControlGroup?) -> Int64? {
        guard let group, let all = reader.number("\(group.path)/memory.current") else { return nil }
        let idle = reader.number("\(group.path)/memory.stat", behind: Array("inactive_file".utf8)) ?? 0
        return Int64(clamping: all > idle ? all - idle : 0)
    }

    /// What is resident, and where that is too much its proportional part: what processes share counts once (smaps_rollup,
    /// proc_pid_smaps(5), 4.14), and is costly to ask for.
    private mutating func resident(_ sum: Sum, limit: Int64) -> Int64 {
        let resident = bytes(sum.pages)
        guard resident > limit else { return resident }
        var shared: Int64 = 0
        for pid in sum.pids {
            if let kilobytes = reader.number("/proc/\(pid)/smaps_rollup", behind: Array("Pss:".utf8)) {
                shared += Int64(clamping: kilobytes) * 1024
            } else if let use = reader.use(ofProcess: pid) {
                shared += bytes(use.pages)
            }
        }
        return shared
    }

    /// A group's counts those that have ended too, with the controller or without it.
    private mutating func cpuTime(of record: LaunchRecord, _ sum: Sum) -> Duration {
        if let group = record.group, let used = reader.number("\(group.path)/cpu.stat", behind: Self.usageKey) {
            return .microseconds(Int64(clamping: used))
        }
        return .microseconds(Int64(clamping: microseconds(sum.ticks)))
    }

    /// Nil where this user may look at none of them.
    private func files(of sum: Sum) -> Int? {
        let counts = sum.pids.compactMap { ProcessTable.descriptors(of: $0) }
        return counts.isEmpty && !sum.pids.isEmpty ? nil : counts.reduce(0, +)
    }

    private func microseconds(_ ticks: UInt64) -> UInt64 { ticks * 1_000_000 / ticksPerSecond }
    private func bytes(_ pages: UInt64) -> Int64 { Int64(clamping: pages * pageBytes) }
}
