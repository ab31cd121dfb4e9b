// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// The launch of a hook as kernel and keeper know it.
struct MachineHook {
    var order: LaunchOrder
    var call: HookCall
    let life: SimulatedLife
    var executedAt: Instant?
    var exit: Exit?
    var fault: Fault?
    var isReleased = false
    var isDoomed = false
    /// A signal came before it executed.
    var isTold = false

    var launch: LaunchID { order.launch }
    var isAlive: Bool { exit == nil && fault == nil }
}

/// Hooks begin and end.
extension Machine {
    func hookPlace(_ launch: LaunchID) -> Int? { hooks.firstIndex { $0.launch == launch } }

    /// True when the effect is about the launch of a hook.
    func performOnHook(_ effect: Effect) -> Bool {
        switch effect {
        case .launch(let order):
            guard let call = order.hook else { return false }
            mix(12, order.launch)
            launch(order, as: call)
        case .signal(let launch, _, _):
            guard let place = hookPlace(launch) else { return false }
            mix(13, launch)
            hooks[place].isTold = true
            if hooks[place].executedAt != nil, let within = hooks[place].life.stopsWithin {
                later(within, .hookEnds(launch, .signal(.terminate, coreDumped: false)))
            }
        case .kill(let launch):
            guard let place = hookPlace(launch) else { return false }
            mix(14, launch)
            hooks[place].isDoomed = true
            if hooks[place].executedAt != nil {
                later(hooks[place].life.diesWithin, .hookEnds(launch, .signal(.kill, coreDumped: false)))
            }
        case .release(let launch):
            guard let place = hookPlace(launch) else { return false }
            mix(15, launch)
            if hooks[place].isAlive { violate("released \(launch.number), a hook, while it lives") }
            if !hooks[place].isReleased { later(.milliseconds(1), .hookDrains(launch, daemon: daemon)) }
            hooks[place].isReleased = true
        case .runStep, .run, .endErrand, .probe, .ask, .endProbes, .rename, .keepUpdates, .relog, .note, .mark,
            .readZone, .watch, .react, .measure, .measureHost, .record, .keep, .goBack, .sockets, .dropStored, .forget:
            return false
        }
        return true
    }

    private func launch(_ order: LaunchOrder, as call: HookCall) {
        guard hookPlace(order.launch) == nil else { return }
        check(hook: call, order)
        let seat = seat(of: order.instance)
        let nth = max(1, seats[seat].launches)
        var life = isPeaceful ? SimulatedLife() : quirk(of: order.instance, nth)?.life ?? SimulatedLife()
        life.fault = nil
        if ledger.isFull {
            life.fault = Fault(
                step: "record the launch in", subject: "/run", reason: "no space left on device (ENOSPC)")
        }
        if order.launch.number <= highestLaunch {
            life.fault = Fault(step: "launch", subject: order.label, reason: "its number was used before (ESTALE)")
        }
        hooks.append(MachineHook(order: order, call: call, life: life))
        unsent.append(order.launch)
        highestLaunch = max(highestLaunch, order.launch.number)
        later(life.execution, .hookExecutes(order.launch))
    }

    func hookExecutes(_ launch: LaunchID) {
        guard let place = hookPlace(launch), hooks[place].isAlive, hooks[place].executedAt == nil else { return }
        let life = hooks[place].life
        watch.touch(seat(of: hooks[place].order.instance))
        if let fault = life.fault {
            hooks[place].fault = fault
            ended(hook: hooks[place])
            tell(.launchFailed(launch, fault, isScarcity: ledger.isFull))
            tell(.emptied(launch))
            return
        }
        hooks[place].executedAt = clock
        began(hook: hooks[place].call)
        tell(.launched(launch, pid: Int32(truncatingIfNeeded: launch.number), ports: [], tracking: "cgroup"))
        later(life.stepsTake, .hookEnds(launch, .code(life.refusesSteps ? 1 : 0)))
        if hooks[place].isDoomed {
            later(life.diesWithin, .hookEnds(launch, .signal(.kill, coreDumped: false)))
        } else if hooks[place].isTold, let within = life.stopsWithin {
            later(within, .hookEnds(launch, .signal(.terminate, coreDumped: false)))
        }
    }

    func hookEnds(_ launch: LaunchID, _ exit: Exit) {
        guard let place = hookPlace(launch), hooks[place].isAlive else { return }
        hooks[place].exit = exit
        watch.touch(seat(of: hooks[place].order.instance))
        ended(hook: hooks[place])
        tell(.exited(launch, exit))
        tell(.emptied(launch))
    }

    func hookDrains(_ launch: LaunchID) {
        guard isDaemonAlive, let place = hookPlace(launch) else { return }
        tell(.drained(launch))
        hooks.remove(at: place)
    }

    // MARK: The change of daemons

    /// What the keeper holds of hooks.
    func takeOverHooks(_ released: Set<LaunchID>) -> (survivors: [Survivor], closed: [ClosedLaunch]) {
        var survivors: [Survivor] = []
        var closed: [ClosedLaunch] = []
        for place in hooks.indices {
            hooks[place].isReleased = false
            let hook = hooks[place]
            if released.contains(hook.launch) {
                closed.append(
                    ClosedLaunch(
                        launch: hook.launch, instance: hook.order.instance, fault: hook.fault, exit: hook.exit))
            } else {
                let pid = Int32(truncatingIfNeeded: hook.launch.number)
                survivors.append(
                    Survivor(
                        launch: hook.launch, pid: pid, hasExecuted: hook.executedAt != nil, fault: hook.fault,
                        exit: hook.exit))
                if hook.exit != nil { inbox.append(.event(.emptied(hook.launch))) }
            }
        }
        return (survivors, closed)
    }

    /// What never got as far as the keeper.
    func forgetUnsentHook(_ launch: LaunchID) {
        guard let place = hookPlace(launch), hooks[place].executedAt == nil, hooks[place].isAlive else { return }
        hooks.remove(at: place)
    }
}
