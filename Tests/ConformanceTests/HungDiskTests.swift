// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// File systems that never answer (`torture-probe hang`, by fuse(4)), where who asks anything waits in the kernel and is not even killed, or
/// that don't for a while (`torture-probe disk`).
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
            try place.eventually("it is started again") {
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

    /// It is said which log it is and since when, and that it is over; no line is lost.
    @Test(.enabled("mounting needs root") { geteuid() == 0 })
    func aLogThatHangsIsToldAndLosesNothing() throws {
        let place = try Workplace()
        let disk = place.home + "/disk"
        let server = try place.serve(disk)
        defer { place.release(server, disk) }
        try place.write(
            """
            name: hung
            services:
              web:
                command: 'i=0; trap "exit 0" TERM; while :; do i=$((i+1)); echo $i; sleep 0.02; done'
                logging: { stdout: \(disk)/web.log }
              api: { command: 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done' }
            """)
        try place.apply()
        let api = "\(place.home)/state/logs/hung/api/stdout.log"
        try place.until("both are written") { contents(disk + "/web.log").count > 20 && contents(api).count > 20 }
        try place.turn(server, SIGUSR1, "away")
        let said = "log \(disk)/web.log has taken no byte "
        try place.eventually("it is said where people look") {
            try place.trouble("web")?.contains(said + "for ") ?? false
        }
        #expect(try place.phase("web") == "ready")
        #expect(try place.orch("status").output.contains("web.log has taken no byte for "))
        let status = try place.orch("daemon", "status")
        #expect(status.output.contains(said + "since ") && status.output.contains("hung/web"), "\(status)")
        try place.turn(server, SIGUSR2, "back")
        try place.eventually("it is taken back") { try place.trouble("web") == nil }
        #expect(try place.orch("daemon", "status").output.contains("log \(disk)/web.log takes bytes again"))
        #expect(try place.orch("stop", "web").status == 0)
        let lines = contents(disk + "/web.log").split(separator: "\n").map { Int($0) }
        #expect(!lines.isEmpty && lines == Array(1...max(1, lines.count)), "\(lines.count) lines")
        place.release(server, disk)
        #expect(try place.end() == "")
    }

    /// Services whose logs are elsewhere write, stop, start and change as ever; also when the path of the log does not look as if it
    /// led there.
    @Test(.enabled("mounting needs root") { geteuid() == 0 })
    func aLogThatHangsHoldsUpNoOther() throws {
        let place = try Workplace()
        let disk = place.home + "/disk"
        let server = try place.serve(disk)
        defer { place.release(server, disk) }
        unsafe symlink(disk, place.home + "/elsewhere")
        let counting = "i=0; trap 'exit 0' TERM; while :; do i=$((i+1)); echo $i; sleep 0.02; done"
        func manifest(_ level: String) -> String {
            """
            name: hung
            services:
              web: { command: "\(counting)", logging: { stdout: \(place.home)/elsewhere/web.log } }
              api: { command: "\(counting)", environment: { LEVEL: \(level) } }
              job: { command: "\(counting)" }
            """
        }
        try place.write(manifest("one"))
        try place.apply()
        let logs = place.home + "/state/logs/hung"
        func size(_ service: String) -> Int { contents("\(logs)/\(service)/stdout.log").utf8.count }
        try place.until("all are written") {
            contents(disk + "/web.log").count > 20 && size("api") > 20 && size("job") > 20
        }
        try place.turn(server, SIGUSR1, "away")
        try place.eventually("it is said") {
            try place.trouble("web")?.contains("its file system does not answer") ?? false
        }
        #expect(try place.trouble("api") == nil, "its lines don't wait")
        let (before, web) = (size("api"), try place.pid("web"))
        try place.until("others are written") { size("api") > before + 50 }
        let rotation = try place.orch("logs", "rotate")
        #expect(rotation.output.contains("api/stdout.log → stdout.log.1"), "\(rotation)")
        #expect((rotation.output + rotation.errors).contains("its file system does not answer"), "\(rotation)")
        #expect(try place.orch("stop", "job").status == 0)
        #expect(try place.orch("start", "job").status == 0)
        try place.write(manifest("two"))
        let apply = try place.orch("apply")
        #expect(apply.status == 0, "\(apply)")
        #expect(try place.pid("web") == web, "nobody touched it")
        try place.turn(server, SIGUSR2, "back")
        try place.eventually("it is taken back") { try place.trouble("web") == nil }
        #expect(try place.orch("stop", "web").status == 0)
        #expect(contents(disk + "/web.log.1") != "", "the rotation was only put off")
        let lines = (contents(disk + "/web.log.1") + contents(disk + "/web.log")).split(separator: "\n").map { Int($0) }
        #expect(!lines.isEmpty && lines == Array(1...max(1, lines.count)), "\(lines.count) lines")
        place.release(server, disk)
        #expect(try place.end() == "")
    }
}

extension Workplace {
    /// Why its lines don't reach its log.
    fileprivate func trouble(_ label: String) throws -> String? { try rows()[label]?["log"]?["trouble"]?.string }

    /// Mounts one that answers until it is told not to; ends by itself after two minutes.
    fileprivate func serve(_ disk: String) throws -> pid_t {
        unsafe mkdir(disk, 0o755)
        let pid = try start([program("torture-probe"), "disk", disk], output: home + "/said")
        try until("it is mounted") { contents("/proc/mounts").contains(" \(disk) fuse") }
        return pid
    }

    /// SIGUSR1: it goes away; SIGUSR2: it comes back. Returns when it has.
    fileprivate func turn(_ server: pid_t, _ signal: Int32, _ word: String) throws {
        kill(server, signal)
        try until("it is \(word)") { contents(home + "/said").hasSuffix(word + "\n") }
    }

    /// Mounts one that never answers; ends by itself after a minute.
    func hang(_ disk: String) throws -> pid_t {
        unsafe mkdir(disk, 0o755)
        let said = home + "/hangs"
        let pid = try start([program("torture-probe"), "hang", disk], output: said)
        // The first question is asked by whoever looks first.
        try until("it is mounted") { contents("/proc/mounts").contains(" \(disk) fuse") }
        try until("it hangs") { contents(said) == "hangs\n" }
        return pid
    }

    /// Who waited hears that it is gone.
    func release(_ hang: pid_t, _ disk: String) {
        kill(hang, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(hang, &status, 0)
        unsafe umount2(disk, Int32(MNT_DETACH))
    }
}
