// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// A machine that gives less than usual, or takes something back.
@Suite(.serialized) struct MachineTests {
    /// Sixty process numbers go round once the first three hundred are used up (RESERVED_PIDS), so that each is somebody else's many times.
    /// Strangers live among them, and nobody sends them anything.
    @Test(
        .enabled("a namespace needs root") { geteuid() == 0 },
        .enabled("pid_max of a namespace alone needs Linux 6.14") {
            let kernel = contents("/proc/sys/kernel/osrelease").split(separator: ".").compactMap { Int($0) }
            return kernel.count > 1 && (kernel[0], kernel[1]) >= (6, 14)
        })
    func numbersThatComeBackMisleadNobody() throws {
        let place = try Workplace()
        var size = Torture.Size()
        (size.services, size.launches, size.seconds) = (20, 400, 4)
        let torture = Torture(place, size)
        try place.write(torture.manifest)
        try place.write(
            """
            echo 360 > /proc/sys/kernel/pid_max
            for n in $(seq 30); do sleep 4297 & strangers="$strangers $!"; done
            (while ! [ -e over ]; do /bin/sleep 0.003; done) &
            '\(program("orch"))' apply --detach
            while ! [ -e over ]; do /bin/sleep 0.1; done
            for pid in $strangers; do kill -0 $pid || echo $pid >> lost; done
            touch seen
            while :; do /bin/sleep 1; done
            """, to: "life.sh")
        let life = try place.start(["/usr/bin/unshare", "-pf", "--mount-proc", "--kill-child", "bash", "life.sh"])
        defer {
            kill(life, SIGKILL)
            var status: Int32 = 0
            _ = unsafe waitpid(life, &status, 0)
        }
        try torture.awaitWriters()
        for round in 1...4 {
            try place.until("launches end") { torture.lines("ends").count > round * 100 }
            let killed = try place.shell("pkill -KILL -f '^[^ ]*orchd --state \(place.home)/'")
            #expect(killed.status == 0)
        }
        let names = torture.lines("starts").compactMap { $0.last.flatMap { Int($0) } }
        #expect(names.allSatisfy { $0 < 360 })
        try place.write("", to: "over")
        try place.until("strangers are counted") { unsafe access(place.folder + "/seen", F_OK) == 0 }
        #expect(contents(place.folder + "/lost").isEmpty, "strangers were killed")
        try torture.reckon()
    }

    /// An ordinary user's pipes beyond the first thousand are small (pipe(7), pipe-user-pages-soft): writers wait sooner, and lose nothing.
    @Test(.enabled("becoming another user needs root") { geteuid() == 0 }) func smallPipesLoseNothing() throws {
        let place = try Workplace(isNobody: true)
        var text = "name: narrow\nservices:\n"
        for number in 1...540 { text += "  s\(number): { command: 'seq 4000; exec sleep 4298' }\n" }
        try place.write(text)
        try place.apply()
        let pids = try place.rows().compactMap { $0.value["pid"]?.int }
        let sizes = pids.map { pid -> Int32 in
            let pipe = unsafe open("/proc/\(pid)/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            defer { close(pipe) }
            return fcntl(pipe, 1_032 /* F_GETPIPE_SZ */)
        }
        #expect(sizes.contains { $0 > 0 && $0 < 65_536 } && sizes.contains(65_536), "this machine has no such limit")
        let check = """
            cd '\(place.home)/state/logs/narrow' && seq 4000 > ../expected &&
            for log in */stdout.log; do cmp -s $log ../expected || echo $log; done
            """
        try place.until("all is written") { try place.shell(check).output.isEmpty }
        #expect(try place.orch("down").status == 0)
        #expect(try place.end() == "")
    }

    /// Somebody else removes orch's control groups, and then keeps it from making any.
    @Test(
        .enabled("mounting needs root") { geteuid() == 0 },
        .enabled("without control groups nothing can be taken away") { try Workplace().bestTracking() == "cgroup" })
    func groupsThatAreTakenAwayAreMissedCleanly() throws {
        let place = try Workplace()
        try place.write(
            "name: groups\nservices:\n  a: { command: [sleep, '4299'] }\n  b: { command: [sleep, '4299'] }\n")
        try place.apply()
        let own = contents("/proc/\(try place.pid("a") ?? 0)/cgroup").split(separator: "\n").first {
            $0.hasPrefix("0::")
        }
        let group = (own?.dropFirst(3) ?? "").split(separator: "/").dropLast().joined(separator: "/")
        let mounted = try place.shell("findmnt -n -o TARGET -t cgroup2").output.split(separator: "\n").first ?? ""
        let root = "\(mounted)/\(group)"
        #expect(try place.orch("stop", "a", "b").status == 0)
        try place.until("its subtree is removed") { unsafe rmdir(root) == 0 }
        #expect(try place.orch("start", "a").status == 0)
        #expect(try place.rows()["a"]?["tracking"]?.string == "cgroup", "it was made again")
        #expect(try place.shell("mount --bind '\(root)' '\(root)' && mount -o remount,bind,ro '\(root)'").status == 0)
        defer { unsafe umount2(root, Int32(MNT_DETACH)) }
        let pid = try place.pid("a")
        let start = try place.start([program("orch"), "start", "b"])
        defer {
            var status: Int32 = 0
            _ = unsafe waitpid(start, &status, 0)
        }
        try place.eventually("why it can't start is said") {
            try place.rows()["b"]?["reason"]?.string?.contains("read-only file system (EROFS)") ?? false
        }
        unsafe umount2(root, Int32(MNT_DETACH))
        #expect(try place.orch("restart", "b").status == 0)
        try place.eventually("b is there") { try place.phase("b") == "ready" }
        #expect(try place.pid("a") == pid)
        #expect(try place.end() == "")
    }
}
