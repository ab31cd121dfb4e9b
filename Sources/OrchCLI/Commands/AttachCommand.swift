// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct AttachCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "The terminal of a running service, or its standard input.",
        discussion: """
            With `tty: true` this terminal is its terminal: keys go to it as they are, its size follows, and ctrl-p ctrl-q detaches, \
            after which it runs on. With `stdin: open` the lines that are typed go to it, and Ctrl-C or Ctrl-D detaches. Several may be attached \
            at once and see the same. What is shown is in its log as well, bytes as they are: secrets in it are not masked. A daemon that is \
            replaced meanwhile is waited for.

            Exits with 0 when detached, and with the service's code when that ends, 128 and the number of a signal; 130 by Ctrl-C or when this \
            terminal goes away, 5 when there is nothing to attach to.
            """)
    @Option(name: .customShort("n"), help: "Lines of its log that are shown first.")
    var lines = 10
    @Argument(help: "The service: `web`, `web.2`, `stack/web`.", completion: ServiceCompletion.kind)
    var service: String

    /// How long a daemon that answers may have nobody who listens there.
    private static let patience = Duration.seconds(5)
    private static let pause = Duration.milliseconds(50)

    func validate() throws {
        guard lines >= 0 else { throw ValidationError("-n takes a number of lines, 0 or more") }
    }

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        let target = try TargetChoice(stacks: try context.stacks(from: session), platform: context.platform).service(
            service)
        let rows = try Self.rows(of: target, session)
        guard let row = rows.first(where: { $0.pid != nil }), let launch = row.launch else {
            let name = rows.first?.label ?? service
            let phase = rows.first.map { ": it is \($0.phase.rawValue)" } ?? ""
            throw Failure(.refused, "\(name) has no process\(phase)", help: "`orch start \(name)` starts it")
        }
        var attachment = Attachment(launch, lines: lines)
        var deadline = context.platform.now.instant + Self.patience
        while true {
            let end: Attachment.End
            do throws(Fault) { end = try context.platform.attach(attachment) } catch { throw Failure(.daemon, error) }
            switch end {
            case .detached:
                context.console.remark(Line("orch: detached; \(row.label) runs on"))
                return .success
            case .interrupted: throw Failure(.interrupted, "\(row.label) runs on")
            case .refused(let reason, let remedy):
                throw Failure(.refused, "can't attach to \(row.label): \(reason)", help: remedy)
            case .hungUp(let seen):
                attachment.seen = seen
                attachment.saysSize = false
                deadline = context.platform.now.instant + Self.patience
            case .unreachable: break
            }
            if let code = try ended(row, launch, in: try Self.rows(of: target, session), context) { return code }
            guard context.platform.now.instant < deadline else { throw Self.nothing(row) }
            let happened = context.platform.wait(until: context.platform.now.instant + Self.pause)
            guard !happened.contains(.interrupted) else { throw .interrupted }
            if happened.contains(.resized) { attachment.saysSize = true }
        }
    }

    private static func rows(of target: Target, _ session: Session) throws(Failure) -> [InstanceStatus] {
        guard case .status(let stacks) = try session.ask(.status(target, .instances)) else {
            throw Failure.unexpectedReply
        }
        return stacks.flatMap(\.instances)
    }

    /// Its code, if that launch is over; and says so.
    private func ended(
        _ row: InstanceStatus, _ launch: LaunchID, in rows: [InstanceStatus], _ context: Context
    ) throws(Failure) -> ExitCode? {
        let present = rows.first { $0.id == row.id }
        if let present, present.launch == launch, present.phase.hasProcess { return nil }
        guard let exit = present?.exit else {
            throw Failure(.failed, "\(row.label) is not there any more", help: "`orch events` tells what happened")
        }
        context.console.remark(Line("orch: \(row.label) has ended: \(exit.text)"))
        return ExitCode(exit)
    }

    private static func nothing(_ row: InstanceStatus) -> Failure {
        Failure(
            .refused,
            "can't attach to \(row.label): it has neither a terminal nor a standard input that is kept open",
            help: "give it `tty: true`, or `stdin: open` for one that reads lines")
    }
}
