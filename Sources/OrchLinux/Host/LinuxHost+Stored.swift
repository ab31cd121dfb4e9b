// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Descriptors that services hand over (sd_pid_notify_with_fds(3)). They are held as sockets are, and are given to the next process of the same
/// instance behind its sockets, under their names.
extension LinuxHost {
    func store(_ descriptors: [HeldDescriptor], named name: String, of record: LaunchRecord) {
        guard let context = record.context, context.ready == .notify, !record.isOver else { return }
        let instance = context.instance
        let others = sockets.count { $0.service == instance.service } + record.lockFiles.count
        for descriptor in descriptors {
            let held = stored.filter { $0.instance == instance }
            if held.contains(where: { $0.isSame(as: descriptor) }) { continue }
            guard held.count + others < Limits.inheritedPerService else {
                outbox.append(
                    .remarked(
                        "FDSTORE=1 of \(context.label): a process gets at most \(Limits.inheritedPerService) descriptors; \"\(name)\" was closed"
                    ))
                continue
            }
            let one = StoredDescriptor(
                number: takeOwnNumber(), instance: instance, name: name, descriptor: descriptor)
            do { try hold(one) } catch {
                SocketRecord.remove(one.number, from: run.stored)
                outbox.append(.remarked(error.fault(step: "hold a descriptor of", subject: context.label).text))
                continue
            }
            stored.append(one)
            heard(.stored, from: record)
        }
    }

    private func hold(_ one: StoredDescriptor) throws(SystemError) {
        try one.save(in: run.stored)
        Failpoint.socketNoted.reach()
        try keeper.hold(one.number, one.descriptor.number)
        Failpoint.socketHeld.reach()
    }

    func unstore(_ name: String, of record: LaunchRecord) {
        guard let instance = record.context?.instance else { return }
        for one in stored where one.instance == instance && one.name == name { drop(one) }
    }

    func dropStored(of instance: InstanceID) { for one in stored where one.instance == instance { drop(one) } }

    func dropAllStored() { for one in stored { drop(one) } }

    private func drop(_ one: StoredDescriptor) {
        do { try keeper.acknowledge(one.number) } catch {
            outbox.append(.remarked(error.fault(step: "close", subject: "a descriptor of \(one.instance)").text))
        }
        SocketRecord.remove(one.number, from: run.stored)
        stored.removeAll { $0.number == one.number }
    }

    /// For the next process of the instance, in the order in which they came.
    func storedDescriptors(for order: LaunchOrder, beside sockets: [HeldSocket]) -> [StoredDescriptor] {
        guard order.hook == nil else { return [] }
        let held = stored.filter { $0.instance == order.instance }
        guard order.spec.ready == .notify else {
            dropStored(of: order.instance)
            return []
        }
        let locks = order.spec.locks.count { $0.utf8.contains(47) }
        return Array(held.prefix(max(0, Limits.inheritedPerService - sockets.count - locks)))
    }

    /// The service has another name from here on.
    func renameStored(_ former: ServiceID, to present: ServiceID) {
        for place in stored.indices where stored[place].instance.service == former {
            stored[place].instance = InstanceID(service: present, replica: stored[place].instance.replica)
            do { try stored[place].save(in: run.stored) } catch {
                outbox.append(.remarked(error.fault(step: "record the descriptor in", subject: run.stored).text))
            }
        }
    }

    /// What the keeper holds, taken out of its hand-over; what it does not hold any more is forgotten.
    func resumeStored(_ states: inout [(LaunchID, KeeperState)]) {
        let noted = Set(SocketRecord.numbers(in: run.stored))
        states.removeAll { launch, state in
            guard noted.contains(launch.number), let end = state.heldReadEnds.first?.take() else { return false }
            guard let one = StoredDescriptor.load(launch.number, HeldDescriptor(end), from: run.stored) else {
                let fault = Fault(
                    step: "keep", subject: "a descriptor that a service had handed over",
                    reason: "its note \(run.stored)/\(launch.number) can't be read",
                    remedy: "restart the service: it opens its own again")
                outbox.append(.remarked(fault.text))
                return false
            }
            stored.append(one)
            return true
        }
        stored.sort { $0.number < $1.number }
        for number in noted where !stored.contains(where: { $0.number == number }) {
            SocketRecord.remove(number, from: run.stored)
        }
    }

    /// For `Recovery`, sorted.
    var instancesWithStored: [InstanceID] { Set(stored.map(\.instance)).sorted() }
}
