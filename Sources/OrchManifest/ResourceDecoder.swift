// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Fields {
    static let resources = FieldTable(
        "resources",
        [
            Field(
                "memory", .size,
                "Memory, such as 512MB. Where the kernel holds it, and on_exceed is not report, it ends the whole tree at this size."
            ),
            Field(
                "cpus", .number,
                "CPUs, such as 0.5 for half of one. Where the kernel holds it, it waits; else 10 seconds are averaged."),
            Field(
                "pids", .integer(1...most),
                "Processes. Where the kernel holds it, threads count too unless threads is given, and forks beyond it fail."
            ),
            Field("files", .integer(1...most), "Open descriptors of all its processes together."),
            Field(
                "threads", .integer(1...most), "Threads of all its processes together; each process has one at least."),
            Field(
                "on_exceed", .word(ResourceLimits.Reaction.allCases.map(\.rawValue)), default: "report",
                "What it does that more is used: told in events and status; or a failure, and restarted; or stopped for good."
            ),
        ])

    static let host = FieldTable(
        "host",
        [
            Field("disk", .object(hostDisk), "How full a file system may get."),
            Field("memory", .object(hostMemory), "How full the host's memory may get; caches don't count."),
        ])
    static let hostDisk = FieldTable(
        "disk",
        [
            Field("path", .text, default: "/", "A path on it."),
            Field(
                "degraded_above", .either([.text, .number]), default: "90%", "Above this part the host is degraded."),
        ])
    static let hostMemory = FieldTable(
        "memory",
        [Field("degraded_above", .either([.text, .number]), default: "90%", "Above this part the host is degraded.")])

    /// What pid_max can be at most, on 64 bits (proc_sys_kernel(5)); no machine has more of any of them in a service.
    static let most = 4_194_304
}

/// `resources` of a service, and `host` of the stack.
extension Decoder {
    func resources(_ node: NodeID) -> ResourceLimits {
        var limits = ResourceLimits()
        guard let section = section(node, Fields.resources, "resources") else { return limits }
        if let node = section["memory"], let bytes = size(node, "memory") {
            if bytes > 0 {
                limits.memory = bytes
            } else {
                error(
                    "range", "\"memory\" must be at least 1B", at: node, help: "such as 512MB; without it, no limit")
            }
        }
        if let node = section["cpus"] { limits.cpus = cpuCount(node) }
        if let node = section["pids"] { limits.pids = integer(node, "pids", in: 1...Fields.most) }
        if let node = section["files"] { limits.files = integer(node, "files", in: 1...Fields.most) }
        if let node = section["threads"] { limits.threads = integer(node, "threads", in: 1...Fields.most) }
        if let node = section["on_exceed"],
            let reaction = word(node, "on_exceed", as: ResourceLimits.Reaction.self)
        {
            limits.onExceed = reaction
            if !Resource.allCases.contains(where: { section.has($0.rawValue) }) {
                warn(
                    "no-effect", "\"on_exceed\" never takes effect: nothing is limited", at: section.key("on_exceed"),
                    help: "add a limit, such as memory: 512MB, or remove it")
            }
        }
        if let pids = limits.pids, let threads = limits.threads, threads < pids, let node = section["pids"] {
            warn(
                "no-effect",
                "\"pids\" never takes effect: each process has a thread, and at most \(threads) are allowed",
                at: node, help: "remove it, or raise threads")
        }
        return limits
    }

    /// A hundredth of a CPU is the least that the kernel deals out.
    private func cpuCount(_ node: NodeID) -> Double? {
        guard let scalar = scalar(node, "cpus", "a number such as 0.5") else { return nil }
        let count: Double
        switch scalar.meaning {
        case .integer(let whole): count = Double(whole)
        case .number(let number): count = number
        case .null, .boolean, .text:
            wrongForm("cpus", "a number such as 0.5", node, help: "0.5 is half of one CPU; without quotes")
            return nil
        }
        guard count >= 0.01, count <= Double(Limits.cpus) else {
            error(
                "range", "\"cpus\" must be from 0.01 to \(Limits.cpus), not \(scalar.text)", at: node,
                help: "0.5 is half of one CPU; without it, no limit")
            return nil
        }
        return count
    }

    func host(_ node: NodeID) -> HostThresholds {
        var host = HostThresholds()
        guard let section = section(node, Fields.host, "host") else { return host }
        if let node = section["disk"], let disk = self.section(node, Fields.hostDisk, "disk") {
            let path = disk["path"].map { self.path($0, "path") } ?? "/"
            if let path, let above = threshold(disk) { host.disk = .init(path: path, degradedAbove: above) }
        }
        if let node = section["memory"], let memory = self.section(node, Fields.hostMemory, "memory") {
            host.memory = threshold(memory)
        }
        return host
    }

    private func threshold(_ section: Section) -> Double? {
        guard let node = section["degraded_above"] else { return HostThresholds.standard }
        return part(node, "degraded_above")
    }
}
