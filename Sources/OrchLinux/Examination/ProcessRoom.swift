// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// The limits of a process, proc_pid_limits(5).
enum ProcessLimits {
    /// In the order of `Ulimit.Resource`; empty when they can't be read.
    static func read(of process: String) -> [Ulimit] {
        parse(SmallFile.text("/proc/\(process)/limits", limit: 8192) ?? "")
    }

    /// One line for each resource, in the order of the kernel's numbers, in columns of fixed width: the name, soft, hard, unit.
    static func parse(_ text: String) -> [Ulimit] {
        let lines = text.split(separator: "\n").dropFirst()
        return zip(Ulimit.Resource.allCases, lines).compactMap { resource, line in
            let words = Text.words(line.dropFirst(25))
            guard words.count >= 2 else { return nil }
            return Ulimit(resource, soft: Int64(words[0]), hard: Int64(words[1]))
        }
    }
}

/// What bounds how many processes and threads there can be.
enum ProcessRoom {
    /// The bound with the least left; nil when none is known.
    static func closest(limits: [Ulimit], mayExceed: Bool, process: String) -> Room? {
        var rooms = groups(of: process)
        if let machine = machine() { rooms.append(machine) }
        if !mayExceed, let soft = limits.first(where: { $0.resource == .nproc })?.soft {
            rooms.append(Room(used: own(), limit: soft, setBy: "RLIMIT_NPROC (ulimit -u)"))
        }
        return rooms.min { $0.left < $1.left }
    }

    /// kernel.threads-max and pid_max; how many there are stands behind the slash in proc_loadavg(5).
    private static func machine() -> Room? {
        func number(_ name: String) -> Int64? {
            SmallFile.text("/proc/sys/kernel/\(name)", limit: 64).flatMap { Int64($0.prefix { $0 != "\n" }) }
        }
        let words = (SmallFile.text("/proc/loadavg", limit: 128) ?? "").split(separator: " ")
        guard words.count > 3, let tasks = words[3].split(separator: "/").last.flatMap({ Int64($0) }),
            let threads = number("threads-max"), let pids = number("pid_max")
        else { return nil }
        return threads < pids
            ? Room(used: tasks, limit: threads, setBy: "kernel.threads-max")
            : Room(used: tasks, limit: pids, setBy: "kernel.pid_max")
    }

    /// pids.max of the version 2 group and all above it, as far as they are to be seen.
    private static func groups(of process: String) -> [Room] {
        guard var folder = try? ControlGroupRoot.group(of: process) else { return [] }
        var rooms: [Room] = []
        while folder.count > 1 {
            if let limit = SmallFile.text("\(folder)/pids.max", limit: 64).flatMap({ Int64($0.prefix { $0 != "\n" }) }),
                let used = SmallFile.text("\(folder)/pids.current", limit: 64).flatMap({
                    Int64($0.prefix { $0 != "\n" })
                })
            {
                rooms.append(Room(used: used, limit: limit, setBy: "\(folder)/pids.max"))
            }
            folder = LogLayout.split(folder).folder
        }
        return rooms
    }

    /// Threads of this user's.
    private static func own() -> Int64 {
        let user = getuid()
        return SmallFile.names(in: "/proc").reduce(into: 0) { sum, name in
            guard Int32(name) != nil, let status = SmallFile.text("/proc/\(name)/status", limit: 4096) else { return }
            var (isOwn, threads) = (false, Int64(0))
            for line in status.split(separator: "\n") {
                if line.hasPrefix("Uid:") { isOwn = Text.words(line).dropFirst().first == "\(user)" }
                if line.hasPrefix("Threads:") { threads = Text.words(line).last.flatMap { Int64($0) } ?? 0 }
            }
            if isOwn { sum += threads }
        }
    }
}
