// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct TopCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch what the process trees of services use.",
        discussion: """
            Redrawn every second: processor, memory, open descriptors and threads of each whole tree, with the processor's last half \
            minute as a line. q or Ctrl-C leaves. Without a terminal, or with --once, it measures for a second and prints one table.
            """)

    @Argument(help: "A stack or a service; default: everything.", completion: ServiceCompletion.kind)
    var name: String?
    @Flag(help: "Print one table and end.")
    var once = false
    @Option(help: "What comes first: cpu, memory, descriptors, threads or name.")
    var sort = TopTable.Order.cpu
    @Flag(
        help:
            "Print {\"instances\":[{\"service\",\"cpu_percent\",\"memory_bytes\",\"descriptors\",\"threads\",…}]} once."
    )
    var json = false

    private static let interval = Duration.seconds(1)

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            context.remarkNoDaemon()
            if json { try context.console.write("{\"instances\":[]}\n") }
            return .success
        }
        var target: Target?
        if let name {
            let choice = TargetChoice(stacks: try context.stacks(from: session), platform: context.platform)
            target = try choice.stackOrService(name)
        }
        var table = TopTable(order: sort)
        try measure(target, into: &table, session, context)
        guard !once, !json, context.console.canDraw else {
            // A share of the processor is one of the time between two looks.
            try context.pause(until: context.platform.now.instant + Self.interval, session)
            try measure(target, into: &table, session, context)
            if json {
                try context.console.write(JSON.bytes(of: table.value) + [10])
            } else {
                try context.console.print(table.lines(width: context.console.width, isLive: false))
            }
            return .success
        }
        return try watch(target, &table, session, context)
    }

    private func measure(
        _ target: Target?, into table: inout TopTable, _ session: Session, _ context: Context
    ) throws(Failure) {
        guard case .status(let stacks) = try session.ask(.status(target, .usage)) else { throw Failure.unexpectedReply }
        table.take(stacks.flatMap(\.instances), try context.forests(of: target, from: session))
    }

    private func watch(
        _ target: Target?, _ table: inout TopTable, _ session: Session, _ context: Context
    ) throws(Failure) -> ExitCode {
        context.platform.catchInterrupts()
        context.platform.catchKeys()
        defer { context.platform.releaseKeys() }
        var area = LiveArea(palette: context.console.palette())
        while true {
            let size = context.platform.terminal(of: .output) ?? TerminalSize(columns: 80, rows: 24)
            let room = max(1, size.rows - 1)
            var lines = table.lines(width: size.columns, isLive: true)
            if lines.count > room {
                let hidden = lines.count - room + 1
                lines = lines.prefix(room - 1) + [Line("… \(hidden) more lines", .faint)]
            }
            try context.console.write(area.redraw(lines.map { $0.fitted(to: size.columns) }))
            let next = context.platform.now.instant + Self.interval
            while context.platform.now.instant < next {
                let happenings = try session.next(until: next)
                if happenings.contains(.interrupted) { return .interrupted }
                if happenings.contains(where: Self.leaves) { return .success }
                if happenings.contains(.resized) { break }
            }
            try measure(target, into: &table, session, context)
        }
    }

    private static func leaves(_ happening: Session.Happening) -> Bool {
        guard case .typed(let bytes) = happening else { return false }
        return bytes.contains { $0 == UInt8(ascii: "q") || $0 == UInt8(ascii: "Q") }
    }
}

extension Context {
    /// Lets time go by. Ctrl-C, where it is caught, ends it early.
    func pause(until deadline: Instant, _ session: Session) throws(Failure) {
        while platform.now.instant < deadline {
            if try session.next(until: deadline).contains(.interrupted) { throw .interrupted }
        }
    }
}
