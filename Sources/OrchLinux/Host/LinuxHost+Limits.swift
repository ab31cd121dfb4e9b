// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel
internal import Synchronization

/// What trees use against their limits, and how full the host is.
extension LinuxHost {
    func measure(_ questions: [ResourceQuestion]) {
        let known = questions.compactMap { question in
            records[question.launch].map { (record: $0, limits: question.limits) }
        }.filter { $0.record.hasExecuted && !$0.record.isEmpty && $0.record.main != nil }
        let scan = known.contains { $0.record.group == nil } ? tracker.scan() : [:]
        var meter = TreeMeter()
        for (record, limits) in known {
            outbox.append(.event(.measured(meter.sample(record, limits, scan[record.launch] ?? []))))
        }
    }

    /// Before the process is born in its group.
    func limit(_ record: LaunchRecord, to limits: ResourceLimits) {
        guard let group = record.group, !limits.isEmpty else { return }
        if !areControllersHandedDown {
            areControllersHandedDown = true
            tellRefused(groups?.handDownControllers() ?? [], "limits that need it")
        }
        tellRefused(group.hold(limits), "what \(record.context?.label ?? "it") uses of that")
    }

    /// What the kernel does not do is done by looking.
    private func tellRefused(_ faults: [Fault], _ what: String) {
        for fault in faults {
            outbox.append(.remarked("\(fault.text); \(what) will be looked at now and then instead"))
        }
    }

    /// Told before its end, while its group is there to be asked.
    func tellOutOfMemory(_ record: LaunchRecord, _ exit: Exit) {
        guard case .signal(.kill, _) = exit, let group = record.group else { return }
        let kills = group.oomKills
        guard kills > 0 else { return }
        var sample = ResourceSample(launch: record.launch)
        sample.oomKills = kills
        outbox.append(.event(.measured(sample)))
    }

    func measureHost(_ wanted: [HostResource]) {
        let readings = wanted.map { resource in
            switch resource {
            case .memory: HostReading(resource, used: MemoryUse.read())
            case .disk(let path): HostReading(resource, used: diskUse(of: path))
            }
        }
        outbox.append(.event(.hostMeasured(readings)))
    }

    /// A file system that does not answer is not asked again before it has.
    private func diskUse(of path: String) -> Double? {
        if let asked = diskLooks[path], !asked.isAnswered { return nil }
        let look = DiskLook()
        diskLooks[path] = look
        switch PatientQuestion.ask(within: .milliseconds(100), { look.take(path) }) {
        case .came(let used): return used
        case .late: return nil
        }
    }
}

/// One look at a file system, by a thread that may have to wait for it.
final class DiskLook: Sendable {
    private let isOver = Mutex(false)
    var isAnswered: Bool { isOver.withLock { $0 } }

    /// What df(1) calls used: of what this user could have. Nil when the path is not there.
    func take(_ path: String) -> Double? {
        defer { isOver.withLock { $0 = true } }
        var facts = statvfs()
        guard unsafe statvfs(path, &facts) == 0 else { return nil }
        let used = Double(facts.f_blocks) - Double(facts.f_bfree)
        let all = used + Double(facts.f_bavail)
        return all > 0 ? used / all : nil
    }
}

/// The host's memory, proc_meminfo(5).
enum MemoryUse {
    /// The part that can't be had at once (`MemAvailable`, 3.14).
    static func read() -> Double? {
        var reader = KernelReader()
        guard let all = reader.number("/proc/meminfo", behind: Array("MemTotal:".utf8)), all > 0,
            let free = reader.number("/proc/meminfo", behind: Array("MemAvailable:".utf8))
        else { return nil }
        return 1 - min(1, Double(free) / Double(all))
    }
}
