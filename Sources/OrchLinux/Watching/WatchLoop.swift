// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The thread of `FileWatch`. `inotify(7)` says in which folders to look; where it can't see (what others change in a network's file
/// system), or the kernel has no watches left, and while there is nothing of the name, it looks every `Limits.watchPoll`.
final class WatchLoop {
    private struct Key: Hashable {
        var service: ServiceID
        var rule: Int
    }
    private struct Standing {
        let rule: WatchRule
        /// Nil while there is nothing of the name.
        var tree: WatchedTree?
        /// Its folders' watches.
        var watches: [String: Int32] = [:]
        var isPolled = false
        var isCutTold = false
    }
    private struct Subscriber: Hashable {
        var key: Key
        var folder: String
    }

    private let watch: FileWatch
    private let inotify: HeldDescriptor?
    private var standings: [Key: Standing] = [:]
    private var subscribers: [Int32: Set<Subscriber>] = [:]
    /// Where to look, and when.
    private var stale: Set<Subscriber> = []
    private var lookAt: Instant?
    private var pollAt = Instant.zero
    /// A storm is looked at ever more rarely, so that looking takes half of the time at most.
    private var pause = Limits.watchPause
    private var notices: [FileWatch.Notice] = []
    private var isPollingTold = false

    init(_ watch: FileWatch) {
        self.watch = watch
        let number = corch_inotify()
        inotify = number < 0 ? nil : HeldDescriptor(Descriptor(owning: number))
        if number < 0 { tellPolling("inotify_init1", -number) }
    }

    func run() {
        while let orders = watch.takeOrders() {
            for order in orders { set(order) }
            if hearEvents(), lookAt == nil { lookAt = Clock.now.instant + pause }
            let now = Clock.now.instant
            if let due = lookAt, due <= now { lookAtStale() }
            if hasPolled, pollAt <= now { lookAtPolled() }
            watch.tell(notices)
            notices = []
            wait()
        }
    }

    private var hasPolled: Bool { standings.values.contains { $0.isPolled || $0.tree == nil } }

    private func wait() {
        var due = lookAt
        if hasPolled { due = Instant.soonest(due, pollAt) }
        let left = due.map { max(.zero, $0 - Clock.now.instant) }
        var polls = [
            pollfd(fd: watch.orderDescriptor, events: Int16(POLLIN), revents: 0),
            // While a look is due anyway events may gather.
            pollfd(fd: lookAt == nil ? inotify?.number ?? -1 : -1, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&polls, 2, left.map { Int32(clamping: $0.nanoseconds / 1_000_000 + 1) } ?? -1)
    }

    // MARK: What is watched

    private func set(_ order: FileWatch.Order) {
        for key in standings.keys where key.service == order.service {
            for folder in standings[key]?.watches.keys.map({ $0 }) ?? [] { leave(folder, key) }
            standings[key] = nil
        }
        for (place, rule) in order.rules.enumerated() {
            let key = Key(service: order.service, rule: place)
            standings[key] = Standing(rule: rule, isPolled: inotify == nil || NetworkFile.isOne(rule.path))
            establish(key)
        }
    }

    /// What is there from the first, and comes back after it was gone, is entered here. All files that were found.
    @discardableResult private func establish(_ key: Key) -> [String] {
        guard let standing = standings[key], var tree = WatchedTree(standing.rule) else { return [] }
        standings[key]?.tree = tree
        let findings = tree.enter { enter($0, key) }
        standings[key]?.tree = tree
        settle(findings, key)
        return findings.changed
    }

    /// Before the folder is read: what changes from then on is heard.
    private func enter(_ folder: String, _ key: Key) {
        guard let inotify, standings[key]?.isPolled == false else { return }
        let mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DELETE_SELF
        let events = UInt32(bitPattern: Int32(truncatingIfNeeded: Int(mask) | Int(IN_MOVE_SELF)))
        let number = unsafe corch_inotify_add(inotify.number, folder, events)
        guard number >= 0 else {
            // ENOENT: it is gone already, which the look will find.
            guard number == -ENOSPC || number == -ENOMEM || number == -EACCES else { return }
            standings[key]?.isPolled = true
            return tellPolling("inotify_add_watch", -number)
        }
        standings[key]?.watches[folder] = number
        subscribers[number, default: []].insert(Subscriber(key: key, folder: folder))
    }

    private func leave(_ folder: String, _ key: Key) {
        guard let inotify, let number = standings[key]?.watches.removeValue(forKey: folder) else { return }
        subscribers[number]?.remove(Subscriber(key: key, folder: folder))
        guard subscribers[number]?.isEmpty == true else { return }
        subscribers[number] = nil
        _ = corch_inotify_remove(inotify.number, number)
    }

    private func settle(_ findings: WatchedTree.Findings, _ key: Key) {
        for folder in findings.gone { leave(folder, key) }
        guard findings.isCut, standings[key]?.isCutTold == false else { return }
        standings[key]?.isCutTold = true
        notices.append(
            .remark(
                "\(key.service): there are more than \(Limits.watchedFiles) files and folders below \(standings[key]?.rule.path ?? "")"
                    + "; changes of what is beyond are not seen: narrow `watch` by `ignore`"))
    }

    /// Once: whoever has no watch left for one has none for the others.
    private func tellPolling(_ call: String, _ code: Int32) {
        guard !isPollingTold else { return }
        isPollingTold = true
        let name =
            switch code {
            case ENOSPC: "fs.inotify.max_user_watches"
            case EMFILE: "fs.inotify.max_user_instances"
            default: ""
            }
        let remedy = name.isEmpty ? "" : ". Raise it: sysctl \(name)"
        notices.append(
            .remark(
                "files are looked at every \(Limits.watchPoll.text), as the kernel watches no more of them for this user: "
                    + "\(call): \(SystemError.sentence(code))\(remedy)"))
    }

    // MARK: Where to look

    /// Whether any was about something that counts.
    private func hearEvents() -> Bool {
        guard let inotify else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let head = MemoryLayout<inotify_event>.size
        while true {
            let count = unsafe read(inotify.number, &buffer, buffer.count)
            guard count > 0 else { return !stale.isEmpty }
            var offset = 0
            while offset + head <= count {
                let event = unsafe buffer.withUnsafeBytes {
                    unsafe $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                }
                let name = buffer[(offset + head)..<(offset + head + Int(event.len))].prefix { $0 != 0 }
                hear(event, String(decoding: name, as: UTF8.self))
                offset += head + Int(event.len)
            }
        }
    }

    private func hear(_ event: inotify_event, _ name: String) {
        if event.mask & UInt32(IN_Q_OVERFLOW) != 0 {
            for (key, standing) in standings { markAll(key, standing) }
        }
        for subscriber in subscribers[event.wd] ?? [] {
            guard let standing = standings[subscriber.key] else { continue }
            if event.mask & UInt32(IN_IGNORED) != 0 {
                // The kernel has dropped it, with the folder.
                standings[subscriber.key]?.watches[subscriber.folder] = nil
                stale.insert(subscriber)
            } else if standing.tree?.mayCount(name, in: subscriber.folder) ?? false {
                stale.insert(subscriber)
            }
        }
        if event.mask & UInt32(IN_IGNORED) != 0 { subscribers[event.wd] = nil }
    }

    private func markAll(_ key: Key, _ standing: Standing) {
        for folder in standing.tree?.paths ?? [] { stale.insert(Subscriber(key: key, folder: folder)) }
    }

    private func lookAtStale() {
        let begun = Clock.now.instant
        lookAt = nil
        let all = stale
        stale = []
        look(at: all)
        // What came meanwhile.
        pause = max(Limits.watchPause, min(Limits.watchPoll, Clock.now.instant - begun))
    }

    private func lookAtPolled() {
        for (key, standing) in standings where standing.tree == nil {
            let found = establish(key)
            tell(found, key)
        }
        var all: Set<Subscriber> = []
        for (key, standing) in standings where standing.isPolled {
            for folder in standing.tree?.paths ?? [] { all.insert(Subscriber(key: key, folder: folder)) }
        }
        look(at: all)
        pollAt = Clock.now.instant + Limits.watchPoll
    }

    private func look(at places: Set<Subscriber>) {
        var changed: [Key: [String]] = [:]
        for place in places {
            guard var tree = standings[place.key]?.tree else { continue }
            standings[place.key]?.tree = nil
            let findings = tree.look(at: place.folder) { enter($0, place.key) }
            // The root is gone: looked for from now on, and all that is there then has changed.
            standings[place.key]?.tree = tree.paths.isEmpty ? nil : tree
            settle(findings, place.key)
            changed[place.key, default: []] += findings.changed
        }
        for (key, names) in changed { tell(names, key) }
    }

    private func tell(_ names: [String], _ key: Key) {
        guard !names.isEmpty else { return }
        notices.append(.changed(key.service, rule: key.rule, Set(names).sorted()))
    }
}
