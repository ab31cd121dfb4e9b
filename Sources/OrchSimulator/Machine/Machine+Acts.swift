// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What the scenario does to the machine.
extension Machine {
    func act(_ place: Int) {
        // Nobody is there to be asked or killed: a little later somebody is.
        guard isDaemonAlive else { return later(.milliseconds(20), .act(place)) }
        actsLeft = scenario.acts.count - place - 1
        if place + 1 < scenario.acts.count { later(scenario.acts[place + 1].after, .act(place + 1)) }
        digest.mix(place)
        perform(scenario.acts[place].deed)
    }

    func perform(_ deed: Deed) {
        switch deed {
        case .ask(let client, let question, let pieces): ask(client, question, pieces: pieces)
        case .vanish(let client, let isRude): vanish(client, isRude: isRude)
        case .intrude(let intruder): intrude(intruder)
        case .strike(let instance, let exit): strike(instance, exit)
        case .touch(let instance): touch(instance.service)
        case .killDaemon(let count, let tears, let again):
            tearsLedger = tears
            deedsOfNext = again
            if count == 0 { die() } else { deedsLeft = count }
        case .killKeeper: killKeeper()
        case .reboot: reboot()
        case .terminate:
            note("» SIGTERM to the daemon")
            if isAskedWithin { shutsDownWithBatch = true } else { isShuttingDown = true }
            watch.commandedAt = [:]
            watch.allCommandedAt = clock
            hurryAll()
            inbox.append(.terminationRequested)
        case .step(let span):
            note("» the wall clock steps by \(span)")
            wallOffset &+= span.nanoseconds
            if span < .zero { watch.wasSetBack = true }
            tell(.clockSet)
        case .suspend(let span):
            note("» the machine sleeps for \(span)")
            wallOffset &+= span.nanoseconds
            slept += span
            wasAway = true
            watch.wasEverAway = true
            tell(.clockSet)
        case .lag(let span):
            lag = span
            watch.wasEverAway = true
        case .lose(let need, let span): lose(need, for: span)
        case .fillDisk(let span):
            note("» the disk is full")
            disk.fault = DiskImage.full
            later(span, .diskHasRoom)
        case .fillRun(let span):
            note("» the run directory is full")
            ledger.isFull = true
            later(span, .runHasRoom)
        case .damageHistory(let rescues):
            note("» the history is damaged")
            disk.damage = rescues
        case .echo: echo()
        }
    }

    /// What was asked in the same batch has been answered: from here on everything is being stopped.
    func endWithBatch() {
        shutsDownWithBatch = false
        isShuttingDown = true
    }

    private func strike(_ instance: InstanceID, _ exit: Exit) {
        guard let seat = seatIndex[instance], let launch = seats[seat].living else { return }
        note("» \(instance) is struck: \(exit.text)")
        mainEnds(launch, exit)
    }

    /// Nothing but the rules that the daemon has asked for is looked at.
    private func touch(_ service: ServiceID) {
        guard watched[service] != nil else { return }
        note("» files of \(service) change")
        // Somebody wants something of the stack, by way of its files, until that is done at the latest.
        watch.commandedAt[service.stack] = clock + .seconds(90)
        tell(.changed(service, rule: 0, ["/src/a"]))
    }

    /// Old news comes again: of the last launch of each instance that is over, and of what lives its execution and earlier answers.
    private func echo() {
        note("» old news")
        for seat in seats {
            guard let end = seat.lastEnd, places[end.launch] == nil else { continue }
            inbox.append(.event(.launched(end.launch, pid: 1, ports: [], tracking: "cgroup")))
            inbox.append(.event(.notified(end.launch, .ready)))
            inbox.append(.event(.exited(end.launch, .code(9))))
            inbox.append(.event(.emptied(end.launch)))
        }
        for process in processes.compactMap({ $0 }).sorted(by: { $0.launch < $1.launch })
        where process.isMainAlive && !process.isReleased {
            let pid = Int32(truncatingIfNeeded: process.launch.number)
            inbox.append(.event(.launched(process.launch, pid: pid, ports: [], tracking: "cgroup")))
            for (kind, round) in process.asked where process.watched[kind].verdict != .unknown || round > 1 {
                let result: ProbeResult =
                    process.watched[kind].verdict == .failing ? .success : .failure("an answer of the round before")
                inbox.append(.event(.probed(process.launch, kind, round: round - 1, result)))
            }
        }
    }

    private func killKeeper() {
        note("✝ the keeper dies")
        isKeeperLost = true
        inbox.append(.remarked("orch-keeper is gone"))
    }

    private func reboot() {
        note("✝ power is cut")
        die()
        watch.runLostAt = clock
        forgetProcesses()
        agenda.keep { if case .act = $0 { true } else if case .diskHasRoom = $0 { true } else { false } }
        ledger = RunLedger()
        for seat in seats.indices { seats[seat].lastEnd = nil }
        highestLaunch = 0
        isKeeperLost = false
        bootedAt = Instant(nanoseconds: clock.nanoseconds - 1_000_000_000)
        slept = .zero
        forgetFrequentRuns()
        disk.reboot()
        disk.state.marks = disk.syncedMarks
        let kept = disk.syncedHistory + dice.below(disk.history.count - disk.syncedHistory + 1)
        forget(disk.history[kept...])
        disk.history.removeLast(disk.history.count - kept)
        departures.removeAll { departure in
            departure.kind == .stopped && specNow(of: departure.instance.service)?.restart.policy != .unlessStopped
        }
        guard watch.isDiskBehind else { return }
        // Numbers that a full disk could not reserve are known after a boot only where the history names them.
        let named = disk.damage == nil ? disk.history.compactMap(\.launch?.number).max() ?? 0 : 0
        watch.highestOrdered = max(disk.state.nextLaunch.number - 1, named)
    }

    /// Nothing of what ran is there any more.
    func forgetProcesses() {
        for place in processes.indices {
            guard let process = processes[place] else { continue }
            if vacate(process) { seats[process.seat].lastEnd = nil }
            // How it ended was told to nobody who could write it down.
            if !process.isClosed, !process.isEndKept, seats[process.seat].lastEnd?.launch == process.launch {
                seats[process.seat].lastEnd = nil
            }
            watch.lost.insert(process.launch)
            watch.lostRuns[process.order.instance, default: 0] += 1
            remove(place)
        }
        watch.owed = [:]
        hooks = []
        watch.hooks = WatchedHooks()
        sockets = [:]
        stored = []
    }

    /// From here on nothing goes wrong by itself, and what lives stays well.
    func heal() {
        note("--- the faults stop ---")
        isPeaceful = true
        deedsLeft = nil
        deedsOfNext = nil
        disk.fault = nil
        ledger.isFull = false
        absent = [:]
        lag = .zero
        agenda.keep { item in
            guard case .ends(let launch, _) = item, let place = places[launch], let process = processes[place] else {
                return true
            }
            return process.isTold || process.order.spec.kind == .task
        }
        for place in processes.indices {
            guard let process = processes[place] else { continue }
            processes[place]?.life.sickensAfter = nil
            processes[place]?.life.wavers = nil
            processes[place]?.life.swellsAfter = nil
            processes[place]?.life.readyAfter = .zero
            processes[place]?.life.answersAfter = .milliseconds(1)
            processes[place]?.life.isEndless = false
            processes[place]?.life.refusesSteps = false
            processes[place]?.life.stepsTake = .milliseconds(1)
            // What was launched as a service may be a task by now.
            let kind = specNow(of: process.order.instance.service)?.kind ?? process.order.spec.kind
            if kind == .service { processes[place]?.life.endsAfter = nil }
            processes[place]?.life.diesWithin = .milliseconds(1)
            if process.isDoomed { later(.zero, .killed(process.launch)) }
            if process.isMute { later(.zero, .feeds(process.launch)) }
            processes[place]?.isMute = false
            if kind == .task, process.life.endsAfter == nil {
                processes[place]?.life.endsAfter = .milliseconds(500)
                if process.isMainAlive { later(.milliseconds(500), .ends(process.launch, .code(0))) }
            }
            if process.order.spec.ready != nil, process.isMainAlive, !process.hasSpoken {
                later(.zero, .speaks(process.launch))
            }
        }
    }
}

/// The change of daemons.
extension Machine {
    /// What a new daemon finds, put together as orchd does it.
    func takeOver() -> (Recovery, remarks: [String]) {
        daemon += 1
        watch.wokenAt = clock
        isDaemonAlive = true
        isShuttingDown = false
        shutsDownWithBatch = false
        believed = [:]
        watched = [:]
        deedsLeft = deedsOfNext
        deedsOfNext = nil
        if isKeeperLost { newKeeper() }
        let stored = SimulatedDisk(self).load()
        let notes = ledger.notes()
        let released = Set((notes ?? []).compactMap { if case .released(let launch) = $0 { launch } else { nil } })
        var survivors: [Survivor] = []
        var closed: [ClosedLaunch] = []
        for process in processes.compactMap({ $0 }).sorted(by: { $0.launch < $1.launch }) {
            guard let place = places[process.launch] else { continue }
            processes[place]?.watched.adopted()
            processes[place]?.isReleased = false
            processes[place]?.isClosed = released.contains(process.launch)
            processes[place]?.epoch += 1
            if process.isClosed {
                closed.append(
                    ClosedLaunch(
                        launch: process.launch, instance: process.order.instance, fault: process.fault,
                        exit: process.exit))
            } else {
                survivors.append(
                    Survivor(
                        launch: process.launch, pid: Int32(truncatingIfNeeded: process.launch.number),
                        hasExecuted: process.executedAt != nil, fault: process.fault, exit: process.exit))
                // The line waits in its pipe, or its file, until it is noted.
                if process.order.spec.ready?.notice == .line, process.hasSpoken, !process.watched.isSpeechNoted {
                    later(.zero, .speaks(process.launch))
                }
                if process.isEmptied { inbox.append(.event(.emptied(process.launch))) }
            }
        }
        let ofHooks = takeOverHooks(released)
        survivors = (survivors + ofHooks.survivors).sorted { $0.launch < $1.launch }
        closed = (closed + ofHooks.closed).sorted { $0.launch < $1.launch }
        let open = Set(processes.compactMap { $0?.launch } + hooks.map(\.launch))
        ledger.rewrite(LaunchNote.pruned(notes ?? [], open: open))
        recallHalts(LaunchNote.underPresentNames(notes ?? [], lately: stored.stacks.flatMap(\.lateRenames)))
        var recovery = Recovery.assembled(
            from: stored, notes: notes ?? [], isNewBoot: notes == nil, boot: "\(bootedAt.nanoseconds)",
            survivors: survivors, closed: closed, sockets: socketsByService, highestLaunch: highestLaunch,
            seed: dice.next())
        recovery.stored = self.stored.sorted()
        var history = SimulatedDisk(self)
        recovery.recall(from: &history)
        recovery.startsAtOnce = startsAtOnce
        note("--- daemon \(daemon), \(survivors.count) launches taken over ---")
        return (recovery, stored.remarks)
    }

    /// The former one's children run on without anybody who can tell of them: the first daemon of the new one clears them away.
    private func newKeeper() {
        isKeeperLost = false
        highestLaunch = 0
        watch.runLostAt = clock
        // What was done before a start is good for the next one, if nobody knows that this one began.
        var prepared = watch.hooks.prepared
        for case let process? in processes where process.order.spec.hooks[.preStart] != nil {
            if !process.watched.isStartNoted { prepared.insert(process.order.instance) }
        }
        forgetProcesses()
        watch.hooks.prepared = prepared
    }

    /// After a daemon: what was only in its memory is gone.
    func bury() {
        isDaemonAlive = false
        deedsLeft = nil
        inbox.removeAll()
        cutClients()
        for launch in unsent where dice.below(2) == 0 {
            forgetUnsentHook(launch)
            // It never got as far as the keeper.
            guard let place = places[launch], let process = processes[place], process.executedAt == nil, !process.isOver
            else { continue }
            vacate(process)
            watch.lost.insert(launch)
            watch.lostRuns[process.order.instance, default: 0] += 1
            // What came before it need not come again.
            if process.order.spec.hooks[.preStart] != nil { watch.hooks.prepared.insert(process.order.instance) }
            remove(place)
        }
        unsent.removeAll()
        for place in hooks.indices where hooks[place].executedAt == nil {
            hooks[place].isDoomed = false
            hooks[place].isTold = false
        }
        for place in processes.indices {
            processes[place]?.waiting = []
            if processes[place]?.executedAt == nil { processes[place]?.isDoomed = false }
        }
    }
}
