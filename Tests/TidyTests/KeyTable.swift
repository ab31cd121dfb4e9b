// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OrchManifest

/// Every key of the language, and the test that sees what it does to a real process. Whoever builds a key adds its row.
enum KeyTable {
    /// `OWNER.KEY SUITE/TEST`: the owner is the kind of map that has the key, as messages speak of it.
    static let rows = """
        manifest.name EnvironmentKeyTests/whatIsIncludedRunsWithItsOwn
        manifest.description EnvironmentKeyTests/whatIsIncludedRunsWithItsOwn
        manifest.include EnvironmentKeyTests/whatIsIncludedRunsWithItsOwn
        manifest.environment EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        manifest.env_file EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        manifest.inherit_environment EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        manifest.defaults EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        manifest.services EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        manifest.stop StopKeyTests/waitsEndAndTheRestIsKilled
        manifest.secrets SecretTests/onlyProcessesSeeWhatSecretsHold
        manifest.host LimitTests/theHostIsDegradedAboveItsThresholds
        host.disk LimitTests/theHostIsDegradedAboveItsThresholds
        host.memory LimitTests/theHostIsDegradedAboveItsThresholds
        disk.path LimitTests/theHostIsDegradedAboveItsThresholds
        disk.degraded_above LimitTests/theHostIsDegradedAboveItsThresholds
        memory.degraded_above LimitTests/theHostIsDegradedAboveItsThresholds
        stack-stop.timeout StopKeyTests/waitsEndAndTheRestIsKilled
        env_file.path EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        env_file.required EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        include.path EnvironmentKeyTests/whatIsIncludedRunsWithItsOwn
        include.env_file EnvironmentKeyTests/whatIsIncludedRunsWithItsOwn
        secret.file SecretTests/onlyProcessesSeeWhatSecretsHold
        secret-use.secret SecretTests/onlyProcessesSeeWhatSecretsHold
        service.kind EnvironmentKeyTests/whoRunsIsSaid
        service.shell EnvironmentKeyTests/whoRunsIsSaid
        service.enabled EnvironmentKeyTests/whoRunsIsSaid
        service.profiles EnvironmentKeyTests/whoRunsIsSaid
        service.replicas EnvironmentKeyTests/whoRunsIsSaid
        service.timeout EnvironmentKeyTests/whoRunsIsSaid
        service.start_timeout EnvironmentKeyTests/whoRunsIsSaid
        service.command EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        service.environment EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        service.env_file EnvironmentKeyTests/everySourceIsThereAndTheStrongestWins
        service.working_dir EnvironmentKeyTests/whatIsIncludedRunsWithItsOwn
        service.secrets SecretTests/onlyProcessesSeeWhatSecretsHold
        service.user ProcessTests/theKernelHasWhatTheManifestSays
        service.group_add ProcessTests/theKernelHasWhatTheManifestSays
        service.umask ProcessTests/theKernelHasWhatTheManifestSays
        service.nice ProcessTests/theKernelHasWhatTheManifestSays
        service.io_class ProcessTests/theKernelHasWhatTheManifestSays
        service.cpu_affinity ProcessTests/theKernelHasWhatTheManifestSays
        service.security ProcessTests/theKernelHasWhatTheManifestSays
        service.ulimits EnvironmentKeyTests/theKernelHasEveryLimit
        service.resources LimitTests/whatIsBeyondIsToldWhileItLasts
        resources.memory LimitTests/whatIsBeyondIsToldWhileItLasts
        resources.cpus LimitTests/processorTimeIsLimited
        resources.pids LimitTests/whatIsBeyondIsToldWhileItLasts
        resources.files LimitTests/anExcessIsAFailureThatRestarts
        resources.threads LimitTests/whatIsBeyondIsToldWhileItLasts
        resources.on_exceed LimitTests/anExcessMayEndIt
        service.depends_on DependencyKeyTests/conditionsHoldUpStarts
        service.health ProbeKeyTests/whatAFailureDoesIsSaid
        service.healthcheck ProbeKeyTests/aHealthcheckIsReadiness
        service.ready ReadinessTests/aLineMakesItReady
        service.restart RestartKeyTests/failuresCountAndAreForgotten
        service.success_exit_codes RestartKeyTests/itsOwnEndLeadsToWhatIsSaid
        service.on_exit RestartKeyTests/itsOwnEndLeadsToWhatIsSaid
        service.essential RestartKeyTests/theEndOfTheEssentialIsTheEndOfAll
        service.locks UpdateKeyTests/onlyOneHasTheLock
        service.stop StopKeyTests/eachStepIsHeard
        service.stop_signal StopKeyTests/eachStepIsHeard
        service.stop_grace_period StopKeyTests/waitsEndAndTheRestIsKilled
        service.reload ControlTests/servicesReload
        service.config_files ControlTests/aChangedConfigFileIsTakenUpWithoutANewProcess
        security.read_only MountTests/itHasATmpOfItsOwnAndWritesNowhereElse
        security.private_tmp MountTests/itHasATmpOfItsOwnAndWritesNowhereElse
        service.tty TerminalTests/aServiceHasATerminalThatOthersAttachTo
        service.stdin TerminalTests/whatIsTypedReachesAnOpenInput
        service.hooks HookTests/eachMomentHasItsCommand
        service.logging LoggingKeyTests/filesHoldWhatIsSaid
        service.ports PortKeyTests/portsAreGivenAndKept
        service.sockets SocketTests/eachProcessIsGivenThemAsItsOwn
        service.watch WatchTests/whatIsSavedRestartsIt
        service.schedule ScheduleKeyTests/runsMeetAsIsSaid
        service.update UpdateKeyTests/theOrderIsKept
        service.renamed_from UpdateKeyTests/aRenamedServiceKeepsItsProcess
        service.title EnvironmentKeyTests/wordsForPeopleLeaveTheProcess
        service.description EnvironmentKeyTests/wordsForPeopleLeaveTheProcess
        service.labels EnvironmentKeyTests/wordsForPeopleLeaveTheProcess
        dependency.condition DependencyKeyTests/conditionsHoldUpStarts
        dependency.required DependencyKeyTests/conditionsHoldUpStarts
        dependency.timeout DependencyKeyTests/conditionsHoldUpStarts
        dependency.on_restart DependencyKeyTests/reactionsFollow
        dependency.on_failure DependencyKeyTests/reactionsFollow
        dependency.restart DependencyKeyTests/reactionsFollow
        ready.log ReadinessTests/aLineMakesItReady
        ready.fd ReadinessTests/aNewlineOnADescriptorMakesItReady
        ready.notify ControlTests/servicesReload
        reload.signal ControlTests/servicesReload
        reload.command ControlTests/servicesReload
        reload.notify ControlTests/servicesReload
        reload.timeout ControlTests/aReloadThatFailsIsToldAndLeavesTheServiceAsItWas
        reload.shell UpdateKeyTests/commandsHaveTheirOwnShell
        hooks.pre_start HookTests/eachMomentHasItsCommand
        hooks.post_ready HookTests/eachMomentHasItsCommand
        hooks.pre_stop HookTests/eachMomentHasItsCommand
        hooks.post_stop HookTests/eachMomentHasItsCommand
        hooks.on_failed HookTests/whatTakesTooLongIsKilledAsAWhole
        hook.command HookTests/eachMomentHasItsCommand
        hook.timeout HookTests/whatTakesTooLongIsKilledAsAWhole
        hook.shell HookTests/whatTakesTooLongIsKilledAsAWhole
        restart.delay RestartKeyTests/delaysGrowUpToTheMost
        restart.factor RestartKeyTests/delaysGrowUpToTheMost
        restart.max_delay RestartKeyTests/delaysGrowUpToTheMost
        restart.jitter RestartKeyTests/delaysGrowUpToTheMost
        restart.policy RestartKeyTests/failuresCountAndAreForgotten
        restart.reset_after RestartKeyTests/failuresCountAndAreForgotten
        restart.max_attempts RestartKeyTests/failuresCountAndAreForgotten
        restart.window RestartKeyTests/failuresCountAndAreForgotten
        restart.retry_after RestartKeyTests/failuresCountAndAreForgotten
        logging.stdout LoggingKeyTests/filesHoldWhatIsSaid
        logging.stderr LoggingKeyTests/filesHoldWhatIsSaid
        logging.format LoggingKeyTests/filesHoldWhatIsSaid
        logging.strip_ansi LoggingKeyTests/filesHoldWhatIsSaid
        logging.rotate LoggingKeyTests/filesAreRotatedAndGo
        logging.when_full LoggingKeyTests/aFullDiskDropsOrBlocks
        logging.redact LogCommandTests/whatIsRedactedIsInTheFileAndInNoView
        logging.levels LogCommandTests/errorsAreCopiedThoughDaemonsDie
        logging.forward ForwardingTests/aServiceIsHeardByJournaldThroughDaemonsThatDie
        log-sink.append LoggingKeyTests/filesHoldWhatIsSaid
        levels.from LogCommandTests/errorsAreCopiedThoughDaemonsDie
        levels.error_file LogCommandTests/errorsAreCopiedThoughDaemonsDie
        rotate.size LoggingKeyTests/filesAreRotatedAndGo
        rotate.keep LoggingKeyTests/filesAreRotatedAndGo
        rotate.every LoggingKeyTests/filesAreRotatedAndGo
        rotate.max_age LoggingKeyTests/filesAreRotatedAndGo
        rotate.total LoggingKeyTests/filesAreRotatedAndGo
        rotate.compress LogCommandTests/theLaunchBeforeIsShownFromCompressedSegmentsToo
        port.name PortKeyTests/portsAreGivenAndKept
        port.port PortKeyTests/portsAreGivenAndKept
        port.protocol PortKeyTests/portsAreGivenAndKept
        port.host PortKeyTests/portsAreGivenAndKept
        port.on_conflict PortKeyTests/portsAreGivenAndKept
        socket.name SocketTests/eachProcessIsGivenThemAsItsOwn
        socket.listen SocketTests/eachProcessIsGivenThemAsItsOwn
        socket.mode SocketTests/eachProcessIsGivenThemAsItsOwn
        health.startup ProbeKeyTests/whatAFailureDoesIsSaid
        health.readiness ProbeKeyTests/whatAFailureDoesIsSaid
        health.liveness ProbeKeyTests/whatAFailureDoesIsSaid
        probe.http ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        probe.tcp ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        probe.command ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        probe.log NotifyTests/aLineIsASign
        probe.file NotifyTests/aFileIsThere
        probe.notify NotifyTests/silenceIsAFailure
        probe.shell ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        probe.initial_delay ProbeKeyTests/questionsComeWhenTheyAreDue
        probe.interval ProbeKeyTests/questionsComeWhenTheyAreDue
        probe.timeout ProbeKeyTests/questionsComeWhenTheyAreDue
        probe.success_threshold ProbeKeyTests/questionsComeWhenTheyAreDue
        probe.failure_threshold ProbeKeyTests/questionsComeWhenTheyAreDue
        probe.on_failure ProbeKeyTests/whatAFailureDoesIsSaid
        on_failure.signal ProbeKeyTests/whatAFailureDoesIsSaid
        http.url ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        http.port ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        http.path ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        http.method ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        http.headers ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        http.body ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        http.expect ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        expect.status ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        expect.body ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        expect.json ProbeKeyTests/questionsAreAskedAsTheyAreWritten
        healthcheck.test ProbeKeyTests/aHealthcheckIsReadiness
        healthcheck.interval ProbeKeyTests/aHealthcheckIsReadiness
        healthcheck.timeout ProbeKeyTests/aHealthcheckIsReadiness
        healthcheck.retries ProbeKeyTests/aHealthcheckIsReadiness
        healthcheck.start_period ProbeKeyTests/aHealthcheckIsReadiness
        healthcheck.disable ProbeKeyTests/aHealthcheckIsReadiness
        stop.scope StopKeyTests/waitsEndAndTheRestIsKilled
        stop.steps StopKeyTests/waitsEndAndTheRestIsKilled
        stop-step.signal StopKeyTests/waitsEndAndTheRestIsKilled
        stop-step.to StopKeyTests/waitsEndAndTheRestIsKilled
        stop-step.kill StopKeyTests/waitsEndAndTheRestIsKilled
        stop-step.wait StopKeyTests/waitsEndAndTheRestIsKilled
        stop-step.command StopKeyTests/eachStepIsHeard
        stop-step.shell StopKeyTests/eachStepIsHeard
        stop-step.stdin StopKeyTests/eachStepIsHeard
        stop-step.http StopKeyTests/aRequestIsAStep
        schedule.cron ScheduleKeyTests/runsMeetAsIsSaid
        schedule.every ScheduleKeyTests/runsMeetAsIsSaid
        schedule.timezone ScheduleKeyTests/runsMeetAsIsSaid
        schedule.overlap ScheduleKeyTests/runsMeetAsIsSaid
        schedule.jitter ScheduleKeyTests/whatFailedIsTriedAgainAndRemembered
        schedule.retries ScheduleKeyTests/whatFailedIsTriedAgainAndRemembered
        schedule.retry_delay ScheduleKeyTests/whatFailedIsTriedAgainAndRemembered
        schedule.history ScheduleKeyTests/whatFailedIsTriedAgainAndRemembered
        schedule.missed ScheduleKeyTests/whatWasMissedComesOnceOrNotAtAll
        watch.path WatchTests/whatIsSavedRestartsIt
        watch.include WatchTests/whatIsSavedRestartsIt
        watch.ignore WatchTests/whatIsSavedRestartsIt
        watch.debounce WatchTests/whatIsSavedRestartsIt
        watch.action WatchTests/aSignalOrACommandLeavesItRunning
        watch.cascade UpdateKeyTests/aChangeGoesOnToWhoNeedsIt
        action.signal WatchTests/aSignalOrACommandLeavesItRunning
        action.command WatchTests/aSignalOrACommandLeavesItRunning
        action.shell UpdateKeyTests/commandsHaveTheirOwnShell
        ulimits.cpu EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.fsize EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.data EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.stack EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.core EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.rss EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.nproc EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.nofile EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.memlock EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.as EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.locks EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.sigpending EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.msgqueue EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.nice EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.rtprio EnvironmentKeyTests/theKernelHasEveryLimit
        ulimits.rttime EnvironmentKeyTests/theKernelHasEveryLimit
        limit.soft EnvironmentKeyTests/theKernelHasEveryLimit
        limit.hard EnvironmentKeyTests/theKernelHasEveryLimit
        security.no_new_privileges ProcessTests/theKernelHasWhatTheManifestSays
        security.capabilities ProcessTests/theKernelHasWhatTheManifestSays
        update.order UpdateKeyTests/theOrderIsKept
        update.parallelism UpdateKeyTests/asManyAsAreSaidAtATime
        update.min_ready UpdateKeyTests/asManyAsAreSaidAtATime
        update.on_failure UpdateKeyTests/aFailureIsMetAsSaid
        """

    /// `tests`: of the suites that start real programs, each with the text of its file.
    static func flaws(_ rows: String, keys: [String], tests: [String: String]) -> [String] {
        var flaws: [String] = []
        var known: Set<String> = []
        for row in rows.split(separator: "\n") {
            let words = row.split(separator: " ").map(String.init)
            guard words.count == 2, let name = words[0].split(separator: ".").last else {
                flaws.append("\(row): a row is OWNER.KEY SUITE/TEST")
                continue
            }
            if !known.insert(words[0]).inserted { flaws.append("\(words[0]) has two rows") }
            if !keys.contains(words[0]) { flaws.append("\(words[0]) is no key") }
            guard let text = tests[words[1]] else {
                flaws.append("\(words[0]): ConformanceTests have no test \(words[1])")
                continue
            }
            // Hidden in quotes too: `{ "key": … }` is written as often.
            if !text.contains("\(name):") { flaws.append("\(words[0]): nothing near \(words[1]) writes \(name):") }
        }
        for key in keys where !known.contains(key) {
            flaws.append("\(key) has no test that sees what it does to a real process: write one, and its row here")
        }
        return flaws
    }
}

@Suite struct KeyTableTests {
    @Test func everyKeyHasATestThatSeesItsEffect() {
        var tests: [String: String] = [:]
        for file in SourceTree.sources where file.path.hasPrefix("Tests/ConformanceTests/") {
            let text = file.lines.joined(separator: "\n")
            for name in FaultTable.tests(in: [file]) { tests[name] = text }
        }
        let flaws = KeyTable.flaws(KeyTable.rows, keys: Fields.keys, tests: tests)
        #expect(flaws == [], "\(flaws.joined(separator: "\n"))")
        #expect(Fields.keys.count > 150)
    }

    @Test func aTableThatLiesIsFound() {
        func count(_ rows: String) -> Int {
            KeyTable.flaws(rows, keys: ["a.b", "a.c"], tests: ["X/x": "b: 1", "Y/y": "c: 1"]).count
        }
        #expect(count("a.b X/x\na.c Y/y") == 0)
        #expect(count("a.b X/x") == 1)
        #expect(count("a.b X/x\na.c X/x") == 1)
        #expect(count("a.b X/x\na.c Y/z") == 1)
        #expect(count("a.b X/x\na.c Y/y\na.d Y/y") == 2)
        #expect(count("a.b X/x\na.b X/x\na.c Y/y") == 1)
        #expect(count("a.b X/x\na.c") == 2)
    }
}
