// SPDX-License-Identifier: Apache-2.0
internal import COrch

/// File systems whose files others change without this kernel's knowledge, which inotify(7) is silent about (statfs(2), `f_type`).
enum NetworkFile {
    private static let kinds: Set<Int64> = [
        0x6969 /* nfs */, 0xff53_4d42 /* cifs */, 0xfe53_4d42 /* smb2 */, 0x517b /* smb */, 0x0102_1997 /* 9p */,
        0x00c3_6400 /* ceph */,
        0x5346_414f /* afs */, 0x6573_5546 /* fuse */, 0x786f_4256 /* vboxsf */,
    ]

    /// What is not there is on none.
    static func isOne(_ path: String) -> Bool {
        unsafe kinds.contains(corch_file_system(path))
    }
}
