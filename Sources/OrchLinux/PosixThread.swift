// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Threads of the daemon's own. Each has its maker's signal mask (pthread_create(3)): the loop has blocked by then what is for it.
enum PosixThread {
    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Begins one. It is to be joined or detached.
    static func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) -> pthread_t {
        var thread = pthread_t()
        let work = unsafe Unmanaged.passRetained(Work(body))
        let failed = unsafe pthread_create(
            &thread, nil,
            { work in
                if let work = unsafe work { unsafe Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        guard failed == 0 else {
            unsafe work.release()
            throw SystemError("pthread_create", code: failed)
        }
        return thread
    }
}
