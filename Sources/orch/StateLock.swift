// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc

/// The lock by which a keeper owns a state directory; the file holds its pid.
enum StateLock {
    /// The keeper that holds it, or 0 while it has not said who it is yet; nil when nobody does.
    static func holder(of path: String) -> Int32? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 16)
        let count = unsafe pread(descriptor, &text, text.count, 0)
        let pid = Int32(String(decoding: text.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self)) ?? 0
        // Taken, shared, for a moment where nobody has it: whoever starts a daemon just then tries again.
        guard corch_flock(descriptor, 0) == -EWOULDBLOCK else { return nil }
        return pid
    }
}
