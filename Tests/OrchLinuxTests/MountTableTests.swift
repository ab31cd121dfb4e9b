// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import OrchLinux

@Suite struct MountTableTests {
    @Test func theKernelsListIsRead() {
        let list = """
            21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            30 21 0:40 / /mnt/web\\040logs rw,relatime shared:9 master:2 - nfs4 server:/x rw
            31 21 0:41 / /srv rw - tmpfs tmpfs rw
            32 21 8:17 / /srv rw - ext4 /dev/sdb1 rw
            torn
            """
        let found = MountTable.devices(in: Array(list.utf8))
        #expect(found == ["/": "8:1", "/mnt/web logs": "0:40", "/srv": "8:17"], "of two at one place the last counts")
    }

    @Test(.enabled("/dev/shm is a mount") { isMount("/dev/shm") }) func pathsAreWhereTheirMountIs() throws {
        var template = Array("/tmp/orch-mounts-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        try #require(unsafe made != nil)
        let home = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unsafe rmdir(home) }
        var table = try #require(MountTable(home: home))
        let own = table.homeDevice
        let shared = table.device(of: "/dev/shm/a/b.log")
        #expect(table.device(of: "\(home)/logs/web.log") == own && own != "" && shared != own)
        // As far as links lie on the daemon's own file system they are followed, from both sides.
        for (link, target) in [("straight", "/dev/shm"), ("around", "straight/../shm"), ("loop", "loop")] {
            unsafe symlink(target, "\(home)/\(link)")
        }
        defer { for link in ["straight", "around", "loop"] { unsafe unlink("\(home)/\(link)") } }
        #expect(table.device(of: "\(home)/straight/web.log") == shared)
        #expect(table.device(of: "\(home)/around/web.log") == shared)
        #expect(table.device(of: "\(home)/straight/../../..\(home)/web.log") == own)
        #expect(table.device(of: "\(home)/loop/web.log") == own)
    }
}

private func isMount(_ folder: String) -> Bool {
    var (one, two) = (stat(), stat())
    return unsafe stat(folder, &one) == 0 && stat("/tmp", &two) == 0 && one.st_dev != two.st_dev
}
