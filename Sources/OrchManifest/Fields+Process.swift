// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The keys of what the kernel gives a process.
extension Fields {
    static let ulimits = FieldTable(
        "ulimits", Ulimit.Resource.allCases.map { Field($0.rawValue, limits(of: $0), meaning(of: $0)) })

    static let ulimit = FieldTable(
        "a limit",
        [
            Field("soft", bytes, "What it is held to; it may raise it up to the hard one."),
            Field("hard", bytes, "What it can't go beyond."),
        ])

    static let security = FieldTable(
        "security",
        [
            Field(
                "no_new_privileges", .boolean, default: "false",
                "Nothing that it executes gains privileges; setuid programs run without theirs."),
            Field(
                "capabilities", .either([.word(["all"]), .list(.text)]), default: "all",
                "The only capabilities (capabilities(7)) it can have; with user they are given to it. [] is none."),
            Field(
                "read_only", .list(.text), default: "[]",
                "Folders and files that it can't write to, with all that is mounted below; [/] is everything."),
            Field(
                "private_tmp", .boolean, default: "false",
                "A /tmp and a /var/tmp of each launch's own, in memory and gone with its last process."),
        ])

    private static let count = FieldForm.either([.integer(-1...Int.max), .word(["unlimited"])])
    private static let bytes = FieldForm.either([.integer(-1...Int.max), .size, .word(["unlimited"])])
    private static func limits(of resource: Ulimit.Resource) -> FieldForm {
        .either([resource.isBytes ? bytes : count, .object(ulimit)])
    }

    private static func meaning(of resource: Ulimit.Resource) -> String {
        switch resource {
        case .cpu: "Seconds of processor time."
        case .fsize: "Bytes of a file that it writes."
        case .data: "Bytes of its data segment."
        case .stack: "Bytes of its stack."
        case .core: "Bytes of a core dump; 0 writes none."
        case .rss: "Bytes in memory; Linux ignores it."
        case .nproc: "Processes and threads of its user."
        case .nofile: "Descriptors; without it the soft limit is the one of whoever applied."
        case .memlock: "Bytes that it may lock in memory."
        case .as: "Bytes of its address space."
        case .locks: "File locks; Linux ignores it."
        case .sigpending: "Signals that wait for its user."
        case .msgqueue: "Bytes in POSIX message queues of its user."
        case .nice: "How far it may raise its priority: 20 minus the nice value."
        case .rtprio: "The real-time priority that it may take."
        case .rttime: "Microseconds of real-time work without a pause."
        }
    }
}
