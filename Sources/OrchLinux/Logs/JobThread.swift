// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel
internal import Synchronization

/// Does jobs one after the other, on a thread that lives while there are any.
final class JobThread: Sendable {
    private struct Job {
        var name: String
        var work: @Sendable () -> Void
    }
    private struct Queue {
        /// The first is being done.
        var jobs: [Job] = []
        var hasThread = false
    }

    private let queue = Mutex(Queue())
    private let yields: Bool

    /// - Parameter yields: to everything else that wants a core (nice 19).
    init(yields: Bool) { self.yields = yields }

    /// One that waits already under this name is enough. False, and nothing changes, when `limit` jobs wait.
    func add(_ name: String, limit: Int = .max, _ work: @escaping @Sendable () -> Void) -> Bool {
        let (isTaken, needsThread) = queue.withLock { queue in
            guard queue.jobs.count < limit else { return (false, false) }
            if !queue.jobs.contains(where: { $0.name == name }) { queue.jobs.append(Job(name: name, work: work)) }
            defer { queue.hasThread = true }
            return (true, !queue.hasThread)
        }
        if needsThread { start() }
        return isTaken
    }

    private func start() {
        do { pthread_detach(try PosixThread.start { self.run() }) } catch {
            // The jobs wait for the next one.
            queue.withLock { $0.hasThread = false }
        }
    }

    private func run() {
        // On Linux this is the calling thread's alone (setpriority(2)).
        if yields { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }
        while let job = queue.withLock({ $0.jobs.first }) {
            job.work()
            let isOver = queue.withLock { queue in
                queue.jobs.removeFirst()
                if queue.jobs.isEmpty { queue.hasThread = false }
                return queue.jobs.isEmpty
            }
            if isOver { return }
        }
    }
}
