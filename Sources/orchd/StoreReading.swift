// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel
internal import OrchStore

/// Opens the disk and reads what it holds, on a thread of its own: meanwhile the keeper hands over what lives, and neither needs the other.
final class StoreReading {
    typealias Outcome = (store: DiskStore, stored: StoredState)

    private let directory: String
    private let boot: String
    /// Written by the thread before it ends, read after that.
    private var result: Result<Outcome, Fault>?
    private var thread: pthread_t?

    /// Begins. Where there is no thread to be had, `outcome` does it.
    init(directory: String, boot: String) {
        self.directory = directory
        self.boot = boot
        // The daemon's signals are for its loop: a thread inherits the mask of the one that makes it (pthread_create(3)).
        var all = sigset_t()
        var own = sigset_t()
        _ = unsafe sigfillset(&all)
        _ = unsafe pthread_sigmask(SIG_SETMASK, &all, &own)
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &own, nil) }
        var made = pthread_t()
        // Not retained: who made it waits for it before it lets go.
        let failed = unsafe pthread_create(
            &made, nil,
            { own in
                if let own = unsafe own { unsafe Unmanaged<StoreReading>.fromOpaque(own).takeUnretainedValue().read() }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        if failed == 0 { thread = made }
    }

    deinit { join() }

    /// What was found, once it is.
    func outcome() throws(Fault) -> Outcome {
        join()
        if result == nil { read() }
        guard let result else { throw Fault(step: "read", subject: directory, reason: "nothing came of it") }
        return try result.get()
    }

    private func join() {
        if let thread { pthread_join(thread, nil) }
        thread = nil
    }

    private func read() {
        result = Result { () throws(Fault) in
            let store = try DiskStore(directory: directory, boot: boot)
            var stored = try store.load()
            // Each definition's digest is asked for when the fleet takes it up.
            for place in stored.stacks.indices {
                for service in stored.stacks[place].request.stack.services.indices {
                    stored.stacks[place].request.stack.services[service].seal()
                }
            }
            return (store, stored)
        }
    }
}
