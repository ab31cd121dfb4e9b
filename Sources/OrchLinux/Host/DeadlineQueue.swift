// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The host's own appointments, earliest first: a binary heap. Nothing is taken back; whoever is woken looks whether it still matters.
struct DeadlineQueue {
    enum Appointment: Equatable {
        /// Look again whether trees that no control group holds are empty.
        case look
        /// Look whether the control group of a launch is empty, as nothing tells it.
        case emptiness(LaunchID)
        /// A probe or a step that runs as a process has had its time.
        case runner(LaunchID)
        /// A TCP probe has had its time.
        case connection(UInt64)
        /// A line should have come by now.
        case line(LineSign, round: UInt64)
        /// A kill should have worked by now.
        case survivors(LaunchID)
        /// Logs should be rotated by now.
        case rotation(UInt64)
        /// The keeper should be another program by now.
        case renewal
    }
    private var heap: [(at: Instant, what: Appointment)] = []

    var next: Instant? { heap.first?.at }

    mutating func add(_ what: Appointment, at instant: Instant) {
        heap.append((instant, what))
        var child = heap.count - 1
        while child > 0, heap[child].at < heap[(child - 1) / 2].at {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// All that are due, in order.
    mutating func take(at now: Instant) -> [Appointment] {
        var due: [Appointment] = []
        while let first = heap.first, first.at <= now {
            due.append(first.what)
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
            sink()
        }
        return due
    }

    private mutating func sink() {
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0].at < heap[$1].at }), heap[least].at < heap[parent].at else {
                return
            }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
