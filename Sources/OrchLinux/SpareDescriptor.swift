// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// One descriptor in reserve. When the process or the machine has none left (EMFILE, ENFILE), what must be known is still read: a process
/// that can't be looked at is not gone, and a record that can't be opened is not missing. For files that are open for a moment.
enum SpareDescriptor {
    private static let held = Mutex<Int32>(-1)

    /// Runs `open`, which returns -1 with errno when it fails; once more without the spare when there was no descriptor left.
    static func lend(to open: () -> Int32) -> Int32 {
        take()
        let opened = open()
        guard opened < 0, errno == EMFILE || errno == ENFILE else { return opened }
        let spare = held.withLock { number in
            defer { number = -1 }
            return number
        }
        guard spare >= 0 else {
            errno = EMFILE
            return -1
        }
        close(spare)
        return open()
    }

    /// The former one may have been lent, and is closed by now.
    private static func take() {
        held.withLock { number in
            if number < 0 { number = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }
        }
    }
}
