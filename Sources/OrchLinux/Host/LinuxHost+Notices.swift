// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// What services say through the notify socket.
extension LinuxHost {
    func hearNotices() {
        while let message = notify?.receive() {
            guard !message.notices.isEmpty || message.storing != nil else { continue }
            guard let record = owner(of: message.pid), record.isService else {
                outbox.append(
                    .remarked(
                        "a notification of pid \(message.pid) (uid \(message.uid)) was ignored: it belongs to no service"
                    ))
                continue
            }
            for notice in message.notices { heard(notice, from: record) }
            switch message.storing {
            case .keep(let name): store(message.descriptors, named: name, of: record)
            case .remove(let name): unstore(name, of: record)
            case nil: break
            }
        }
    }

    func heard(_ notice: Notice, from record: LaunchRecord) {
        // A service may be faster than the keeper's word that it runs: whoever speaks does.
        if record.pid > 0, !record.isOver { executed(record) }
        guard record.hasExecuted || record.isOver else { return record.waitingNotices.append(notice) }
        if case .mainPID(let pid) = notice {
            guard owner(of: pid) === record, let entry = ProcessTable.entry(of: pid) else {
                outbox.append(
                    .remarked(
                        "MAINPID=\(pid) of \(record.context?.label ?? "a service") was ignored: it is not a process of it"
                    ))
                return
            }
            record.main = entry.identity
        }
        outbox.append(.event(.notified(record.launch, notice)))
    }

    /// The launch that a process belongs to, by its control group, else by session, parents and mark.
    func owner(of pid: Int32) -> LaunchRecord? {
        guard pid > 0 else { return nil }
        if let record = launchesByPid[pid].flatMap({ records[$0] }) { return record }
        if let groups, let launch = groups.launch(of: pid), let record = records[launch] { return record }
        let isAnySessionHeld = records.values.contains { $0.group == nil && !$0.isEmpty }
        return isAnySessionHeld ? tracker.owner(of: pid).flatMap { records[$0] } : nil
    }
}
