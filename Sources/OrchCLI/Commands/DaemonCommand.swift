// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct DaemonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Start, stop, replace or look at the daemon.",
        subcommands: [
            DaemonStartCommand.self, DaemonStopCommand.self, DaemonRestartCommand.self, DaemonUpgradeCommand.self,
            DaemonStatusCommand.self,
        ],
        defaultSubcommand: DaemonStatusCommand.self)
}

struct DaemonStartCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start the daemon, which starts what is applied and enabled.")

    func run(in context: Context) throws(Failure) -> ExitCode {
        if try Session.open(context.platform) != nil {
            try context.console.print(Line("The daemon runs already."))
            return .success
        }
        let session = try context.startedDaemon()
        guard case .daemon(let status) = try session.ask(.daemonStatus) else { throw Failure.unexpectedReply }
        let stacks = CountText.of(status.stacks, "stack")
        try context.console.print(Line("The daemon runs: version \(status.version), pid \(status.pid), \(stacks)."))
        return .success
    }
}

struct DaemonStopCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop all stacks in order and end the daemon; nothing is forgotten.")

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            try context.console.print(Line("No daemon runs."))
            return .success
        }
        let before = try context.stacks(from: session)
        context.platform.catchInterrupts()
        var follower = Follower(
            context, session, title: "daemon", aim: .down, before: before.flatMap(\.instances))
        follower.outlivesDaemon = false
        do throws(Failure) {
            _ = try session.ask(.daemonStop)
            if try follower.follow(before.map { Target(stack: $0.name) }, goal: .forever) == .interrupted {
                throw Failure(
                    .interrupted, "the daemon stops everything; it goes on",
                    help: "`orch daemon stop` again shows how it goes")
            }
        } catch {
            // It leaves when everything is stopped: its end is the success that was waited for.
            guard error.exit == .daemon, try isGone(context) else { throw error }
        }
        try context.console.print(Line("The daemon has stopped everything and ended, in \(follower.elapsed)."))
        return .success
    }

    /// The keeper, which holds the socket, ends right after the daemon.
    private func isGone(_ context: Context) throws(Failure) -> Bool {
        let deadline = context.platform.now.instant + .seconds(10)
        while context.platform.now.instant < deadline {
            do throws(Fault) {
                guard let connection = try context.platform.connect() else { return true }
                context.platform.close(connection)
            } catch { throw Failure(.daemon, error) }
            _ = context.platform.wait(until: context.platform.now.instant + .milliseconds(20))
        }
        return false
    }
}

struct DaemonRestartCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Replace the daemon by a new one; every service runs on.")

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            _ = try context.startedDaemon()
            try context.console.print(Line("No daemon ran; it does now."))
            return .success
        }
        guard case .daemon(let old) = try session.ask(.daemonStatus) else { throw Failure.unexpectedReply }
        _ = try session.ask(.daemonRestart)
        let started = context.platform.now.instant
        let next = try context.nextDaemon(after: old, within: Self.patience)
        let span = TimeText.elapsed(context.platform.now.instant - started)
        try context.console.print(
            Line("The daemon was replaced in \(span): pid \(old.pid) → \(next.pid). Services run on."))
        if let fallback = next.fallback { context.console.remark(Line("orch: \(fallback)", .caution)) }
        return .success
    }

    private static let patience = Duration.seconds(20)
}

struct DaemonStatusCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say whether the daemon runs, and what it holds.")
    @Flag(help: "Print {\"running\",\"version\",\"pid\",\"started_at\",\"stacks\",\"instances\",…}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        guard let session = try Session.open(context.platform) else {
            if json {
                try context.console.write("{\"running\":false}\n")
            } else {
                try context.console.print(Line("No daemon runs. Its state is in \(context.platform.stateDirectory)."))
            }
            return .daemon
        }
        guard case .daemon(let status) = try session.ask(.daemonStatus) else { throw Failure.unexpectedReply }
        if json {
            let members = [Value.Member("running", true)] + (status.value.members ?? [])
            try context.console.write(JSON.bytes(of: .object(members)) + [10])
            return .success
        }
        let time = context.console.time
        let state = status.isShuttingDown ? Line("stopping everything", .caution) : Line("running", .good)
        var lines = [Line("daemon  ", .strong) + state + Line("  version \(status.version), pid \(status.pid)")]
        lines.append(Line("  since    \(time.clock(status.startedAt)) (\(time.ago(status.startedAt)))"))
        lines.append(
            Line("  holds    \(CountText.of(status.stacks, "stack")), \(CountText.of(status.instances, "instance"))"))
        lines.append(Line("  state    \(context.platform.stateDirectory)"))
        for remark in status.remarks { lines.append(Line("  remark   ", .caution) + Line(remark)) }
        try context.console.print(lines)
        return .success
    }
}
