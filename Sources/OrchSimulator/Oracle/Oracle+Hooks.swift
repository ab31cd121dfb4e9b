// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// What the oracle knows of hooks, from what was launched and how it ended.
struct WatchedHooks {
    /// Kind and launch of those that have executed; of one that is about no launch, the call.
    var ran: Set<String> = []
    /// Instances whose `pre_start` has worked, for the start that comes.
    var prepared: Set<InstanceID> = []
    /// Instances whose last `pre_start` did not work, or may be thought not to have.
    var failedStarts: Set<InstanceID> = []
    /// The last launch of each instance whose `post_stop` is owed.
    var owed: [InstanceID: (launch: LaunchID, at: Instant)] = [:]
}

/// Each hook runs once, in its turn, and nothing of its instance is launched beside it.
extension Machine {
    private func name(_ call: HookCall) -> String { "\(call.kind.rawValue) \(call.about?.number ?? call.id.number)" }

    /// Before the launch of a hook.
    func check(hook call: HookCall, _ order: LaunchOrder) {
        let id = order.instance
        watch.touch(seat(of: id))
        if order.launch.number <= watch.highestOrdered { violate("launch number \(order.launch.number) is used again") }
        watch.highestOrdered = max(watch.highestOrdered, order.launch.number)
        if watch.hooks.ran.contains(name(call)) { violate("\(name(call)) of \(id) runs twice") }
        for other in hooks where other.isAlive && other.call.instance == id {
            violate("\(name(call)) of \(id) runs beside \(name(other.call))")
        }
        let process = call.about.flatMap { places[$0] }.flatMap { processes[$0] }
        switch call.kind {
        case .preStart:
            if !watch.isDiskBehind, !isWanted(id), !isOverlap(id) { violate("\(id) is prepared and not wanted") }
        case .postReady:
            if process?.isMainAlive != true { violate("\(name(call)) of \(id) comes too late") }
            if process?.watched.wasReady == false { violate("\(name(call)) of \(id) comes before it is ready") }
        case .preStop:
            if process?.watched.stopBegan == nil {
                violate("\(name(call)) of \(id) runs while it is not being stopped")
            }
            if process.map({ $0.watched.step >= 0 }) ?? false {
                violate("\(name(call)) of \(id) comes after its ladder")
            }
        case .postStop, .onFailed:
            if process.map({ $0.isAlive && !$0.isEmptied }) ?? false {
                violate("\(name(call)) of \(id) runs while it lives")
            }
        }
    }

    /// It has executed.
    func began(hook call: HookCall) {
        watch.hooks.ran.insert(name(call))
        if call.kind == .postStop { watch.hooks.owed[call.instance] = nil }
    }

    func ended(hook: MachineHook) {
        guard hook.call.kind == .preStart else { return }
        if hook.exit == .code(0) { watch.hooks.prepared.insert(hook.call.instance) }
        if hook.exit != .code(0) || hook.isDoomed { watch.hooks.failedStarts.insert(hook.call.instance) }
    }

    /// Before a launch that is no hook.
    func checkHooks(_ order: LaunchOrder) {
        let id = order.instance
        for hook in hooks where hook.isAlive && hook.call.instance == id {
            switch hook.call.kind {
            case .preStart, .postStop, .onFailed:
                if seats[seat(of: id)].living == nil { violate("\(id) is launched while \(name(hook.call)) runs") }
            case .postReady, .preStop: break
            }
        }
        watch.hooks.failedStarts.remove(id)
        let isPrepared = watch.hooks.prepared.remove(id) != nil
        if order.spec.hooks[.preStart] != nil, !isPrepared, !watch.isDiskBehind {
            violate("\(id) is launched before its pre_start has worked")
        }
        if let owed = watch.hooks.owed[id], seats[seat(of: id)].living == nil, order.spec.hooks[.postStop] != nil,
            owed.at > watch.runLostAt, !watch.isDiskBehind
        {
            violate("\(id) is launched, and post_stop \(owed.launch.number) has not run")
        }
        watch.hooks.owed[id] = nil
    }

    /// Nothing of it is left: its `post_stop` is to come.
    func oweHooks(after process: MachineProcess) {
        let id = process.order.instance
        guard !process.watched.isStray, seats[process.seat].former != process.launch,
            specNow(of: process)?.hooks[.postStop] != nil
        else { return }
        watch.hooks.owed[id] = (process.launch, clock)
    }

    /// A rename takes along what has been done for a start, and what is owed for an end.
    func moveHooks(from old: ServiceID, to new: ServiceID) {
        func moved(_ id: InstanceID) -> InstanceID {
            id.service == old ? InstanceID(service: new, replica: id.replica) : id
        }
        for place in hooks.indices {
            hooks[place].call.instance = moved(hooks[place].call.instance)
            hooks[place].order.instance = moved(hooks[place].order.instance)
        }
        watch.hooks.prepared = Set(watch.hooks.prepared.map(moved))
        watch.hooks.failedStarts = Set(watch.hooks.failedStarts.map(moved))
        for id in watch.hooks.owed.keys.filter({ $0.service == old }).sorted() {
            watch.hooks.owed[moved(id)] = watch.hooks.owed.removeValue(forKey: id)
        }
    }

    /// A hook of the instance is under way, or about to be.
    func mayHaveHook(_ id: InstanceID) -> Bool {
        hooks.contains { $0.call.instance == id } || specNow(of: id.service)?.hooks.isEmpty == false
            || watch.hooks.owed[id] != nil
    }
}
