// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// A file system that never answers (`torture-probe hang`, by fuse(4)): who asks it anything waits in the kernel, and is not even killed.
@Suite(.serialized) struct HungDiskTests {
    /// One hangs before its program, one in it; who has nothing to do with that disk starts, ends, restarts and stops as ever.
    @Test(.enabled("mounting needs root") { geteuid() == 0 })
    func whoWaitsForItHoldsUpNobody() throws {
        let place = try Workplace()
        let disk = place.home + "/disk"
        let hang = try place.hang(disk)
        defer { place.release(hang, disk) }
        let rest = "restart: { policy: always, delay: 20ms }, stop: [{ signal: SIGTERM, wait: 200ms }]"
        try place.write(
            """
            name: hung
            services:
              before: { command: [\(disk)/program], \(rest) }
              within: { command: 'echo begun; exec cat \(disk)/file', \(rest) }
              well: { command: 'echo well; exec sleep 4295', \(rest) }
            """)
        let apply = try place.orch("apply", "--detach")
        #expect(apply.status == 0, "\(apply)")
        try place.until("all have begun") {
            ["within", "well"].allSatisfy { contents("\(place.home)/state/logs/hung/\($0)/stdout.log").count > 4 }
        }
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        for _ in 1...3 {
            let pid = try place.pid("well") ?? 0
            kill(pid_t(pid), SIGKILL)
            try place.eventually("it is started again", within: 10) {
                let row = try place.rows()["well"]
                return row?["phase"] == "ready" && row?["pid"]?.int != pid
            }
        }
        #expect(try place.orch("restart", "well").status == 0)
        #expect(try place.orch("stop", "well").status == 0)
        let stop = try place.orch("stop", "within", "--timeout", "200ms")
        #expect(stop.status != 0 && stop.errors.contains("within"), "something is left: \(stop)")
        #expect(try place.phase("within") == "stuck")
        #expect(try place.keeper() == keeper && place.daemon() == daemon, "nobody was taken for hung")
        place.release(hang, disk)
        try place.eventually("it goes as soon as it can") { try place.phase("within") == "idle" }
        #expect(try place.end() == "")
    }
}

extension Workplace {
    /// Mounts it; ends by itself after a minute.
    fileprivate func hang(_ disk: String) throws -> pid_t {
        unsafe mkdir(disk, 0o755)
        let said = home + "/hangs"
        let pid = try start([program("torture-probe"), "hang", disk], output: said)
        // The first question is asked by whoever looks first.
        try until("it is mounted") { contents("/proc/mounts").contains(" \(disk) fuse") }
        try until("it hangs") { contents(said) == "hangs\n" }
        return pid
    }

    /// Who waited hears that it is gone.
    fileprivate func release(_ hang: pid_t, _ disk: String) {
        kill(hang, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(hang, &status, 0)
        unsafe umount2(disk, Int32(MNT_DETACH))
    }
}
