// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct DaemonUpgradeCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Let this version's keeper and daemon take over from those that run; every service runs on.",
        discussion: """
            The programs beside this one are asked first whether they run here and can read the state: what can't is refused before
            anything is touched. Then the keeper becomes the new one, and starts the new daemon. If either can't begin, the version that
            ran before runs again. To an earlier version it is the same command, of that version.
            """)

    func run(in context: Context) throws(Failure) -> ExitCode {
        let upgrade: Upgrade
        do throws(Fault) { upgrade = try context.platform.examinePrograms() } catch { throw Failure(.failed, error) }
        guard let session = try Session.open(context.platform) else {
            _ = try context.startedDaemon()
            try context.console.print(Line("No daemon ran; one of version \(OrchVersion.text) does now."))
            return .success
        }
        guard case .daemon(let old) = try session.ask(.daemonStatus) else { throw Failure.unexpectedReply }
        let started = context.platform.now.instant
        do throws(Failure) { _ = try session.ask(.daemonUpgrade(upgrade)) } catch {
            // The daemon that was asked is gone: how it went says the next one.
            guard error.exit == .daemon else { throw error }
        }
        let next = try context.nextDaemon(after: old, within: Self.patience)
        if let fallback = next.fallback {
            throw Failure(
                .failed, "version \(OrchVersion.text) did not take over: \(fallback)",
                help: "services run on; its log is \(context.platform.stateDirectory)/orchd.log")
        }
        guard next.version == OrchVersion.text else {
            throw Failure(
                .failed, "version \(OrchVersion.text) did not take over: the daemon that runs is \(next.version)",
                help: "services run on; its log says why: \(context.platform.stateDirectory)/orchd.log")
        }
        let span = TimeText.elapsed(context.platform.now.instant - started)
        try context.console.print(
            Line(
                "orch \(old.version) → \(next.version) in \(span): daemon pid \(old.pid) → \(next.pid), "
                    + "\(CountText.of(next.launches, "launch", "launches")) handed over. Services run on."))
        return .success
    }

    /// A new daemon that hangs at its start is given up after some 25 seconds (docs/upgrading.md).
    private static let patience = Duration.seconds(60)
}

extension Context {
    /// Waits until another daemon than this one answers. A keeper that was killed while no daemon lived could start none: then this does.
    func nextDaemon(after old: DaemonStatus, within patience: Duration) throws(Failure) -> DaemonStatus {
        let deadline = platform.now.instant + patience
        while platform.now.instant < deadline {
            if let status = try nextStatus(), status.pid != old.pid || status.startedAt != old.startedAt {
                return status
            }
            _ = platform.wait(until: platform.now.instant + .milliseconds(20))
        }
        throw Failure(
            .daemon, "the daemon was told to make room for a new one, and none answers after \(patience.brief)",
            help: "its log says why: \(platform.stateDirectory)/orchd.log; services run on")
    }

    /// Nil while one daemon makes room for another.
    private func nextStatus() throws(Failure) -> DaemonStatus? {
        let session: Session
        do throws(Failure) {
            guard let open = try Session.open(platform) else {
                // The keeper holds the socket: where nobody listens, there is none.
                _ = try startedDaemon()
                return nil
            }
            session = open
        } catch {
            guard error.exit == .daemon else { throw error }
            return nil
        }
        guard case .daemon(let status)? = try? session.ask(.daemonStatus) else { return nil }
        return status
    }
}
