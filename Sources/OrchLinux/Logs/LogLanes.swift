// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The pump's threads: the first for the file system that the daemon lives on, and one for each other that logs are on.
struct LogLanes {
    private(set) var lanes: [LogLane]
    private let notices: LogNotices
    private let forwarding: ForwardPaths
    /// Nil: one thread serves all.
    private var mounts: MountTable?
    /// Of file systems that were met.
    private var laneOf: [MountTable.Device: Int] = [:]
    /// Files in use, and by how many outputs: two threads would write over one another's lines.
    private var holders: [String: (lane: Int, count: Int)] = [:]

    init(_ notices: LogNotices, _ forwarding: ForwardPaths, home: String?) throws(SystemError) {
        self.notices = notices
        self.forwarding = forwarding
        lanes = [try LogLane(0, notices, forwarding)]
        mounts = home.flatMap { MountTable(home: $0) }
    }

    func send(_ request: LogRequest, to lane: Int) { lanes[lane].mailbox.send(request) }

    // MARK: Files

    /// The lane for that sink. A file of errors that another lane writes already is left out, and that is said.
    mutating func place(_ sink: LogSink) -> (lane: Int, LogSink) {
        guard let path = sink.destination.path else { return (0, sink) }
        let log = holders[path]?.lane
        guard let errors = sink.errorFile else { return (log ?? lane(of: path), sink) }
        let copy = holders[errors]?.lane
        if let log, let copy, log != copy {
            notices.post(
                .said(
                    .remark(
                        "lines of log \(path) are not copied to \(errors): logs on another file system are; give it an error file of its own"
                    )), from: nil)
            var plain = sink
            plain.errorFile = nil
            return (log, plain)
        }
        if let lane = log ?? copy { return (lane, sink) }
        // Both are written by one thread. If one of them hangs, it is not to be the daemon's own file system's.
        let own = lane(of: path)
        return (own != 0 ? own : lane(of: errors), sink)
    }

    /// Its files are that lane's until they are released as often.
    mutating func hold(_ sink: LogSink, in lane: Int) -> [String] {
        guard let path = sink.destination.path else { return [] }
        let paths = [path] + (sink.errorFile.map { [$0] } ?? [])
        for path in paths { holders[path, default: (lane, 0)].count += 1 }
        return paths
    }

    mutating func release(_ paths: [String]) {
        for path in paths {
            guard let held = holders[path] else { continue }
            holders[path] = held.count > 1 ? (held.lane, held.count - 1) : nil
        }
    }

    /// The lane of a file, whether it is in use or not.
    mutating func lane(for path: String) -> Int { holders[path]?.lane ?? lane(of: path) }

    // MARK: File systems

    private mutating func lane(of path: String) -> Int {
        guard let device = mounts?.device(of: path), device != mounts?.homeDevice else { return 0 }
        if let known = laneOf[device] { return known }
        let lane = newLane(path) ?? idleLane ?? lanes.count - 1
        laneOf[device] = lane
        return lane
    }

    private mutating func newLane(_ path: String) -> Int? {
        guard lanes.count < Limits.logLanes else { return nil }
        do throws(SystemError) {
            lanes.append(try LogLane(lanes.count, notices, forwarding))
            return lanes.count - 1
        } catch {
            notices.post(
                .said(.remark("log \(path) gets no thread of its own for its file system: \(error.reason)")), from: nil)
            return nil
        }
    }

    /// One that has nothing to do with its file system any more.
    private var idleLane: Int? {
        let busy = Set(holders.values.map(\.lane))
        return lanes.indices.dropFirst().first { !busy.contains($0) && lanes[$0].mailbox.pulse.isResting }
    }
}
