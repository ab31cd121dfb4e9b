// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Which of the pump's threads serves which output. A file has one thread, whoever writes to it, for as long as it is in use; what hangs there
/// holds up nobody else's. Nothing here waits for a thread or asks a file system anything.
struct LogRouting {
    private struct Route {
        let stream: LogStreamKind?
        var lane: Int
        /// Files that are its lane's while it uses them.
        var paths: [String]
        /// It is on its way to another lane: how it logs there.
        var next: LogSink?
        /// The pattern of a line that is looked for in it.
        var awaiting: String?
    }
    /// A launch that is over.
    private struct Finish {
        var waitsFor: Set<Int>
        /// Bytes that wait in its pipes though their time is over, by lane.
        var left: [Int: Int] = [:]
    }

    let notices: LogNotices
    var lanes: LogLanes
    var rotations: [UInt64: SharedRotation] = [:]
    private var launches: [LaunchID: [Route]] = [:]
    private var finishes: [LaunchID: Finish] = [:]
    private var pids: [LaunchID: Int32] = [:]
    /// What probes look for in what it writes.
    private var listeners: [LaunchID: [ProbeKind: String]] = [:]

    init(_ notices: LogNotices, _ lanes: LogLanes) {
        self.notices = notices
        self.lanes = lanes
    }

    // MARK: What the daemon wants

    /// The descriptor is owned by the pump from now on.
    mutating func attach(
        _ launch: LaunchID, _ stream: LogStreamKind?, _ descriptor: Int32, _ sink: LogSink, awaiting pattern: String?,
        listening patterns: [ProbeKind: String]
    ) {
        if !patterns.isEmpty { listeners[launch] = patterns }
        let (lane, sink) = lanes.place(sink)
        let paths = lanes.hold(sink, in: lane)
        launches[launch, default: []].append(Route(stream: stream, lane: lane, paths: paths, awaiting: pattern))
        let request = LogRequest.attach(
            launch, stream, descriptor: descriptor, sink, awaiting: pattern, listening: patterns)
        lanes.send(request, to: lane)
    }

    mutating func listen(_ sign: LineSign, for pattern: String) {
        guard let routes = launches[sign.launch] else { return }
        listeners[sign.launch, default: [:]][sign.kind] = pattern
        for lane in Set(routes.map(\.lane)) { lanes.send(.listen(sign, pattern), to: lane) }
    }

    mutating func letGo(_ launch: LaunchID) {
        guard let routes = launches[launch] else { return }
        for place in routes.indices { launches[launch]?[place].awaiting = nil }
        for lane in Set(routes.map(\.lane)) { lanes.send(.letGo(launch), to: lane) }
    }

    func show(_ launch: LaunchID, to socket: HeldDescriptor) {
        for lane in Set((launches[launch] ?? []).map(\.lane)) { lanes.send(.show(launch, socket), to: lane) }
    }

    mutating func reconfigure(_ launch: LaunchID, _ stream: LogStreamKind?, _ sink: LogSink) {
        guard var routes = launches[launch], let place = routes.firstIndex(where: { $0.stream == stream }) else {
            return
        }
        defer { launches[launch] = routes }
        let (lane, placed) = lanes.place(sink)
        if routes[place].next != nil {
            routes[place].next = sink
        } else if lane == routes[place].lane {
            let former = routes[place].paths
            routes[place].paths = lanes.hold(placed, in: lane)
            lanes.release(former)
            lanes.send(.reconfigure(launch, stream, placed), to: lane)
        } else {
            routes[place].next = sink
            lanes.send(.handOver(launch, stream), to: routes[place].lane)
        }
    }

    mutating func name(_ launch: LaunchID, pid: Int32) {
        pids[launch] = pid
        for lane in Set((launches[launch] ?? []).map(\.lane)) { lanes.send(.name(launch, pid: pid), to: lane) }
    }

    mutating func finish(_ launch: LaunchID) {
        guard finishes[launch] == nil else { return }
        guard let routes = launches[launch], !routes.isEmpty else {
            return notices.post(.said(.drained(launch, bytesLeft: 0)), from: nil)
        }
        let settled = Set(routes.filter { $0.next == nil }.map(\.lane))
        finishes[launch] = Finish(waitsFor: settled)
        for lane in settled { lanes.send(.finish(launch), to: lane) }
    }

    /// Whose output goes through that lane, in order.
    func launches(in lane: Int) -> [LaunchID] {
        launches.filter { $0.value.contains { $0.lane == lane } }.keys.sorted()
    }

    // MARK: What threads say

    /// What is to be told of it.
    mutating func hear(_ word: LogNotices.Word, from lane: Int?) -> [LogNotice] {
        switch word {
        case .handedOver(let launch, let stream, let descriptor):
            return move(launch, stream, descriptor)
        case .said(.drained(let launch, let left)):
            guard let lane else { return [.drained(launch, bytesLeft: left)] }
            return drained(launch, left, in: lane)
        case .said(.rotated(let number, let files)):
            guard let lane else { return [.rotated(number, files)] }
            return rotated(number, files, in: lane)
        case .said(let notice): return [notice]
        }
    }

    /// An output has left its lane.
    private mutating func move(_ launch: LaunchID, _ stream: LogStreamKind?, _ descriptor: Int32) -> [LogNotice] {
        guard let place = launches[launch]?.firstIndex(where: { $0.stream == stream }),
            let former = launches[launch]?.remove(at: place)
        else {
            if descriptor >= 0 { _ = Descriptor(owning: descriptor) }
            return []
        }
        lanes.release(former.paths)
        if descriptor >= 0, let sink = former.next {
            attach(
                launch, stream, descriptor, sink, awaiting: former.awaiting, listening: listeners[launch] ?? [:])
            if let pid = pids[launch], let lane = launches[launch]?.last?.lane {
                lanes.send(.name(launch, pid: pid), to: lane)
            }
            if let lane = launches[launch]?.last?.lane, finishes[launch] != nil {
                finishes[launch]?.waitsFor.insert(lane)
                lanes.send(.finish(launch), to: lane)
            }
        }
        return closed(launch)
    }

    private mutating func drained(_ launch: LaunchID, _ left: Int, in lane: Int) -> [LogNotice] {
        guard var finish = finishes[launch] else { return [] }
        finish.left[lane] = left > 0 ? left : nil
        if left == 0 { finish.waitsFor.remove(lane) }
        finishes[launch] = finish
        if left > 0 { return [.drained(launch, bytesLeft: finish.left.values.reduce(0, +))] }
        return closed(launch)
    }

    /// Nothing of a launch that is over is left, if so.
    private mutating func closed(_ launch: LaunchID) -> [LogNotice] {
        let routes = launches[launch] ?? []
        guard let finish = finishes[launch], finish.waitsFor.isEmpty, routes.allSatisfy({ $0.next == nil }) else {
            return []
        }
        for route in routes { lanes.release(route.paths) }
        launches[launch] = nil
        finishes[launch] = nil
        pids[launch] = nil
        listeners[launch] = nil
        return [.drained(launch, bytesLeft: 0)]
    }
}
