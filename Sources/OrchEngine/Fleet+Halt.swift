// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// A whole stack that stops because of one service: nothing is forgotten, and nothing of it starts again until a command brings it back
/// (or a boot). What stops it is noted before the end itself is, so that no daemon can know of the one without the other.
extension Fleet {
    /// Every instance of the stack goes, in order.
    mutating func halt(
        by place: Int, _ outcome: Outcome, _ exit: Exit?, _ key: String, at now: Moment, _ effects: inout [Effect]
    ) {
        guard let slot = slots[place], let stack = stackPlace(slot.id.service.stack) else { return }
        let how = outcome.phase == .done ? "is done" : "failed"
        let halt = Halt(
            instance: slot.id, key: key, reason: "\(label(of: slot)) \(how): \(outcome.reason)", exit: exit,
            isSuccess: outcome.phase == .done)
        effects.append(.note(.halted(halt, appliedAt: stacks[stack].applied.appliedAt)))
        impose(halt, on: stack, at: now)
        effects.append(
            .record(
                Occurrence(
                    time: now.wall, stack: stacks[stack].name, service: slot.id.service.service, instance: slot.id,
                    kind: .halted, cause: "the stack stops: \(halt.reason)", exit: exit,
                    position: position(of: slot.id.service, key: key))))
    }

    private mutating func impose(_ halt: Halt, on stack: Int, at now: Moment) {
        stacks[stack].halt = halt
        let limit = now.instant + stacks[stack].applied.request.stack.stopTimeout
        stacks[stack].haltedCount = 0
        for service in placesOfServices(stack) {
            for place in services[service].slots {
                hurry(place, by: limit)
                // What leaves goes anyway: no command brings it back.
                guard slots[place]?.isLeaving == false else { continue }
                slots[place]?.isHalted = true
                stacks[stack].haltedCount += 1
            }
            for place in services[service].outgoing { hurry(place, by: limit) }
        }
    }

    /// A former daemon stopped the stack, and nobody has applied it since.
    mutating func recallHalt(_ halt: Halt, appliedAt: WallTime, at now: Moment) {
        guard let stack = stackPlace(halt.instance.service.stack), stacks[stack].applied.appliedAt == appliedAt else {
            return
        }
        impose(halt, on: stack, at: now)
    }

    /// A command wants the instance again, or it goes for good.
    mutating func resume(_ place: Int) {
        guard let slot = slots[place], slot.isHalted else { return }
        pending.append(.note(.resumed(slot.id)))
        letGo(place)
    }

    /// What stopped the stack is forgotten once it holds nothing back any more.
    mutating func letGo(_ place: Int) {
        guard let slot = slots[place], slot.isHalted, let stack = stackPlace(slot.id.service.stack) else { return }
        slots[place]?.isHalted = false
        if stacks[stack].halt?.instance == slot.id { slots[place]?.outcome = nil }
        // What goes all the same is given no more time than it had.
        if slot.current?.stopping == nil, let free = slots[place], isWanted(free) { slots[place]?.stopBy = nil }
        stacks[stack].haltedCount -= 1
        if stacks[stack].haltedCount == 0 { stacks[stack].halt = nil }
        touch(place)
    }

    /// The revision that is applied now brings everything back.
    mutating func resume(stack: Int) {
        guard let halt = stacks[stack].halt else { return }
        for service in placesOfServices(stack) {
            for place in services[service].slots where slots[place]?.isHalted == true {
                guard let slot = slots[place] else { continue }
                if slot.current == nil, slot.outcome == nil || slot.id == halt.instance {
                    slots[place]?.nextCause = "applied again after the stack stopped: \(halt.reason)"
                }
                resume(place)
            }
        }
    }

    /// What stopped the stack of this instance and holds it back.
    func halt(of slot: Slot) -> Halt? {
        guard slot.isHalted else { return nil }
        return stackPlace(slot.id.service.stack).flatMap { stacks[$0].halt }
    }

    /// What the end of the stack means to somebody who waits for it to settle: a task that was to end it has done so.
    func verdict(onHalted slot: Slot) -> Verdict {
        guard let halt = halt(of: slot) else { return .pending }
        guard halt.isSuccess else { return .failed("the stack stopped: \(halt.reason)") }
        return isUp(slot) ? .pending : .reached
    }
}
