// SPDX-License-Identifier: Apache-2.0

import Glibc
@testable import OrchLinux
import OrchModel
import Testing

/// Limits that the kernel does not take.
@Suite struct RefusedLimitTests {
    /// A folder stands where the kernel has its file: writing there is refused; the others are not there, as without their controllers.
    @Test func whatIsRefusedIsTold() throws {
        var name = Array("/tmp/orch-limits-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&name).map { unsafe String(cString: $0) }
        let folder = try #require(made)
        defer {
            _ = unsafe rmdir(folder + "/pids.max")
            _ = unsafe rmdir(folder)
        }
        #expect(unsafe mkdir(folder + "/pids.max", 0o700) == 0)
        var limits = ResourceLimits()
        limits.pids = 7
        limits.cpus = 0.5
        limits.memory = 1 << 20
        limits.onExceed = .stop
        let refused = ControlGroup(path: folder).hold(limits)
        #expect(refused.map(\.text) == ["cannot write 7 to \(folder)/pids.max: is a directory (EISDIR)"])
    }
}
