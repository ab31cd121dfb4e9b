// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// Updates and renames, judged by what is on the disk.
extension Machine {
    /// One launch of an instance at a time. With `start-first` a second one of another definition, of at most `parallelism` instances.
    func checkAlone(_ order: LaunchOrder) {
        let seat = seats[seat(of: order.instance)]
        guard let other = seat.living else { return }
        let words = "\(order.instance) is launched as \(order.launch.number) while \(other.number) lives"
        let update = specNow(of: order.instance.service)?.update ?? UpdatePolicy()
        guard update.order == .startFirst else { return violate(words) }
        if let third = seat.former { return violate("\(words), and \(third.number) too") }
        let definition = watch.definition ?? order.spec.definitionDigest
        if let place = places[other], processes[place]?.watched.definition == definition {
            return violate("\(words) with the same definition")
        }
        let pairs = seats.count { $0.id.service == order.instance.service && $0.former != nil } + 1
        if pairs > update.parallelism { violate("\(words), as the \(pairs)th at a time of \(update.parallelism)") }
    }

    /// What is not to be of a definition that is neither the one that is wanted nor the one before an update.
    private func rollout(of service: ServiceID) -> Rollout? {
        let stacks = disk.state.stacks
        guard let place = stacks.firstIndex(where: { $0.request.stack.name == service.stack }) else { return nil }
        return stacks[place].rollouts.first { $0.service == service.service }
    }

    /// The definition that the instance is to run.
    func targetNow(of id: InstanceID) -> Digest? {
        guard let rollout = rollout(of: id.service), rollout.held.contains(id.replica) else {
            return definitionNow(of: id.service)
        }
        return rollout.previous.definition
    }

    /// What a launch is probed by: during an update, what still runs the former definition by the former revision.
    func specNow(of process: MachineProcess) -> ServiceSpec? {
        specNow(of: seats[process.seat].id.service, running: process.watched.definition)
    }

    /// A revision that is on the disk has moved what lives to its new name.
    func moveSeats(after applied: AppliedStack) {
        for renaming in applied.renames {
            let old = ServiceID(stack: applied.request.stack.name, service: renaming.from)
            let new = ServiceID(stack: old.stack, service: renaming.to)
            // Runs may have been decided of what was never launched.
            for id in watch.runs.keys.sorted() where id.service == old {
                let moved = InstanceID(service: new, replica: id.replica)
                watch.runs[moved] = watch.runs.removeValue(forKey: id)
            }
            moveHooks(from: old, to: new)
            for place in seats.indices where seats[place].id.service == old {
                let target = seat(of: InstanceID(service: new, replica: seats[place].id.replica))
                guard seats[place].living != nil || seats[place].lastEnd != nil else { continue }
                seats[target].living = seats[place].living
                seats[target].former = seats[place].former
                seats[target].lastEnd = seats[place].lastEnd
                seats[place].living = nil
                seats[place].former = nil
                seats[place].lastEnd = nil
                for index in processes.indices where processes[index]?.seat == place {
                    processes[index]?.seat = target
                    processes[index]?.order.instance = seats[target].id
                }
                watch.touch(place)
                watch.touch(target)
            }
        }
    }
}
