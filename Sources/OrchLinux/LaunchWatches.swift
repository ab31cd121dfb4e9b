// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// Files that are watched for their launches' sake, one for each: `inotify(7)` tells which of them were written to.
final class LaunchWatches {
    let descriptor: Descriptor
    private var launches: [Int32: LaunchID] = [:]
    private var watches: [LaunchID: Int32] = [:]

    /// Fails with EMFILE at fs.inotify.max_user_instances.
    init() throws(SystemError) { descriptor = try Descriptor("inotify_init1", corch_inotify()) }

    func isWatched(_ launch: LaunchID) -> Bool { watches[launch] != nil }

    /// What was written before is not told. Fails with ENOSPC at fs.inotify.max_user_watches.
    func watch(_ path: String, for launch: LaunchID) throws(SystemError) {
        let mask = UInt32(bitPattern: Int32(IN_MODIFY))
        let watch = try Syscall.check(
            "inotify_add_watch", unsafe corch_inotify_add(descriptor.number, path, mask))
        launches[watch] = launch
        watches[launch] = watch
    }

    func forget(_ launch: LaunchID) {
        guard let watch = watches.removeValue(forKey: launch) else { return }
        launches[watch] = nil
        _ = corch_inotify_remove(descriptor.number, watch)
    }

    /// The launches whose files were written to; when the queue overflowed, all of them.
    func changed() -> [LaunchID] {
        var changed: Set<LaunchID> = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let head = MemoryLayout<inotify_event>.size
        while true {
            let count = unsafe read(descriptor.number, &buffer, buffer.count)
            guard count > 0 else { break }
            var offset = 0
            while offset + head <= count {
                let event = unsafe buffer.withUnsafeBytes {
                    unsafe $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                }
                offset += head + Int(event.len)
                if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { changed.formUnion(watches.keys) }
                if let launch = launches[event.wd] { changed.insert(launch) }
            }
        }
        return changed.sorted()
    }
}
