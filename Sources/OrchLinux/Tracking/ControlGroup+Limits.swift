// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Limits that the kernel holds a group to (cgroup-v2.rst), where the controllers are.
extension ControlGroup {
    /// The period over which processor time is dealt out, in microseconds: the kernel's own default.
    private static let period = 100_000

    /// pids.max counts processes and threads alike, as each thread is a task: it is exact for `threads`, and for `pids` where nothing is
    /// said of threads.
    static func tasks(_ limits: ResourceLimits) -> (resource: Resource, count: Int)? {
        if let threads = limits.threads { return (.threads, threads) }
        return limits.pids.map { (.pids, $0) }
    }

    /// Asks the kernel for as much of it as it can do. Of memory it can only kill what is beyond, so that it is asked only where an excess
    /// is to end the tree; then all of it goes at once (memory.oom.group, 4.19). What could not be written is not held, and looked at; why
    /// is returned, but where it is that there is no controller.
    func hold(_ limits: ResourceLimits) -> [Fault] {
        var refused: [Fault] = []
        func write(_ text: String, to file: String) {
            if let fault = Self.poke(text, into: "\(path)/\(file)") { refused.append(fault) }
        }
        if let cpus = limits.cpus {
            let quota = max(1_000, Int(cpus * Double(Self.period)))
            write("\(quota) \(Self.period)", to: "cpu.max")
        }
        if let tasks = Self.tasks(limits) { write("\(tasks.count)", to: "pids.max") }
        if let memory = limits.memory, limits.onExceed != .report {
            write("1", to: "memory.oom.group")
            write("\(memory)", to: "memory.max")
        }
        return refused
    }

    /// Nil when it is written, and where there is no such file: that is a controller, or a kernel, that does not have it.
    static func poke(_ text: String, into file: String) -> Fault? {
        do throws(SystemError) {
            try SmallFile.poke(text, into: file)
            return nil
        } catch {
            return error.code == ENOENT ? nil : error.fault(step: "write \(text) to", subject: file)
        }
    }

    /// Which of them the kernel holds it to, as its files say.
    func held(_ limits: ResourceLimits) -> [Resource] {
        var held: [Resource] = []
        if limits.memory != nil, isLimited("memory.max") { held.append(.memory) }
        if limits.cpus != nil, isLimited("cpu.max") { held.append(.cpus) }
        if let tasks = Self.tasks(limits), isLimited("pids.max") { held.append(tasks.resource) }
        return held
    }

    /// Processes of it that were killed for want of memory; 0 also where nobody counts (without the memory controller).
    var oomKills: UInt64 {
        var reader = KernelReader()
        return reader.number("\(path)/memory.events", behind: Array("oom_kill".utf8)) ?? 0
    }

    private func isLimited(_ file: String) -> Bool {
        SmallFile.text("\(path)/\(file)", limit: 64).map { !$0.hasPrefix("max") } ?? false
    }
}
