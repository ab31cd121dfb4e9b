// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct StatusCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show every instance, and why it is not ready.",
        discussion: "Without a daemon it shows what is stored, says so on standard error and exits 0.",
        aliases: ["ps"])

    @Argument(help: "A stack or a service; default: everything.", completion: ServiceCompletion.kind)
    var name: String?
    @Flag(help: "Print {\"stacks\":[{\"name\",\"revision\",\"phase\",\"instances\":[…]}]}.")
    var json = false
    @Flag(help: "Redraw every second until Ctrl-C.")
    var watch = false
    @Flag(help: "Exit 1 if anything isn't as desired.")
    var check = false

    func validate() throws {
        if watch, json || check { throw ValidationError("--watch goes with neither --json nor --check.") }
    }

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else { return try stored(in: context) }
        if watch { return try watching(session, in: context) }
        if json, name == nil, !check {
            // The daemon's text is the documented shape: it is passed on as it came.
            try context.console.write(try session.statusText() + [10])
            return .success
        }
        let stacks = try stacks(from: session, in: context)
        try show(stacks, in: context)
        return check && !stacks.allSatisfy(Self.isAsDesired) ? .failed : .success
    }

    private func stacks(from session: Session, in context: Context) throws(Failure) -> [StackStatus] {
        let stacks = try context.stacks(from: session, .usage)
        guard let name else { return stacks }
        let target = try TargetChoice(stacks: stacks, platform: context.platform).stackOrService(name)
        return stacks.compactMap { stack in
            guard stack.name == target.stack else { return nil }
            var part = stack
            part.instances = stack.instances.filter { target.covers($0.id) }
            return part
        }
    }

    private func show(_ stacks: [StackStatus], in context: Context, isStored: Bool = false) throws(Failure) {
        if json {
            let value: Value = ["stacks": .array(stacks.map(\.value))]
            try context.console.write(JSON.bytes(of: value) + [10])
            return
        }
        let view = StatusView(
            stacks: stacks, time: context.console.time, width: context.console.width, isStored: isStored)
        try context.console.print(view.lines())
    }

    /// Ready, or stopped as it was asked.
    private static func isAsDesired(_ stack: StackStatus) -> Bool {
        stack.instances.allSatisfy { instance in
            switch instance.phase {
            case .ready, .done, .idle: true
            case .waiting, .backoff, .starting, .running, .unhealthy, .reloading, .stopping, .failed, .stuck: false
            }
        }
    }

    private func stored(in context: Context) throws(Failure) -> ExitCode {
        let stacks = StoredStatus(platform: context.platform).stacks()
        context.remarkNoDaemon()
        var shown = stacks
        if let name {
            let target = try TargetChoice(stacks: stacks, platform: context.platform).stackOrService(name)
            shown = stacks.filter { $0.name == target.stack }.map { stack in
                var part = stack
                part.instances = stack.instances.filter { target.covers($0.id) }
                return part
            }
        }
        try show(shown, in: context, isStored: true)
        // Nothing that should run does.
        return check && shown.contains { !$0.instances.isEmpty } ? .failed : .success
    }

    private func watching(_ session: Session, in context: Context) throws(Failure) -> ExitCode {
        guard context.console.canDraw else { throw Failure(.usage, "--watch needs a terminal to draw on") }
        context.platform.catchInterrupts()
        var area = LiveArea(palette: context.console.palette())
        while true {
            let stacks = try stacks(from: session, in: context)
            let size = context.platform.terminal(of: .output) ?? TerminalSize(columns: 80, rows: 24)
            let lines = StatusView(stacks: stacks, time: context.console.time, width: size.columns).lines()
            let room = max(1, size.rows - 1)
            let cut = lines.count > room
            let shown =
                cut ? lines.prefix(room - 1) + [Line("… \(lines.count - room + 1) more lines", .faint)] : lines[...]
            try context.console.write(area.redraw(shown.map { $0.fitted(to: size.columns) }))
            let next = context.platform.now.instant + .seconds(1)
            while context.platform.now.instant < next {
                let happenings = try session.next(until: next)
                if happenings.contains(.interrupted) { return .interrupted }
                if happenings.contains(.resized) { break }
            }
        }
    }
}
