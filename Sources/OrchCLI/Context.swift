// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

/// A command of `orch`: what the parser fills in, and what is then done with a platform.
protocol OrchCommand: ParsableCommand {
    func run(in context: Context) throws(Failure) -> ExitCode
}

/// What every command works with.
struct Context {
    let platform: any Platform
    let console: Console

    init(_ platform: any Platform) {
        self.platform = platform
        console = Console(platform)
    }

    /// The daemon, started if it isn't there: for what brings something up.
    func startedDaemon() throws(Failure) -> Session {
        if let session = try Session.open(platform) { return session }
        do throws(Fault) { try platform.startDaemon() } catch { throw Failure(.daemon, error) }
        if let session = try Session.open(platform) { return session }
        throw Failure(
            .daemon, "the daemon was started and is gone again",
            help: "its log says why: \(platform.stateDirectory)/orchd.log")
    }

    /// The daemon if it runs; for what changes something that only a running daemon has.
    func runningDaemon() throws(Failure) -> Session {
        if let session = try Session.open(platform) { return session }
        let orphans = platform.orphanCount
        throw Failure(
            .daemon,
            orphans == 0
                ? "no daemon runs, so there is nothing to change"
                : "no daemon runs: somebody killed it, and processes of its services live on (\(orphans))",
            help: orphans == 0
                ? "`orch apply` or `orch daemon start` starts it"
                : "`orch daemon start` starts it again, which takes them over")
    }

    /// All stacks, from the daemon. What instances use is measured where it is asked for.
    func stacks(from session: Session, _ detail: StatusDetail = .instances) throws(Failure) -> [StackStatus] {
        guard case .status(let stacks) = try session.ask(.status(nil, detail)) else { throw Failure.unexpectedReply }
        return stacks
    }

    /// Reading commands say so when they read what is stored.
    func remarkNoDaemon() {
        let orphans = platform.orphanCount
        guard orphans == 0 else {
            let processes = orphans == 1 ? "1 process" : "\(orphans) processes"
            return console.remark(
                Line(
                    "orch: no daemon runs, but \(processes) of its services: somebody killed it. `orch daemon start`"
                        + " starts it again, which takes them over. This is what is stored.", .caution))
        }
        console.remark(
            Line("orch: no daemon runs; this is what is stored. `orch daemon start` starts what is applied.", .faint))
    }
}

extension Failure {
    static let unexpectedReply = Failure(
        .daemon, "the daemon answered another question than the one that was asked",
        help: "`orch daemon upgrade` replaces the daemon; services run on")
}
