// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux
import Testing

@Suite struct RobustnessTests {
    /// Whoever executes a file on which another process holds a write lease waits (fcntl(2), F_SETLEASE): as on a hung
    /// file system, 40 children stay before their exec, more than the keeper has stacks.
    @Test func childrenThatHangBeforeExecHoldUpNobody() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let program = keeper.directory + "/program"
        try keeper.link.spawn(launch(1, "cp", "/bin/true", program))
        #expect(try keeper.end(of: 1).outcome == .exited(code: 0))
        signal(SIGIO, SIG_IGN)
        let leased = try Descriptor("open", unsafe open(program, O_RDONLY | O_CLOEXEC))
        try Syscall.check("fcntl F_SETLEASE", fcntl(leased.number, 1024, F_WRLCK))
        for identifier in 2...21 { try keeper.link.spawn(launch(UInt64(identifier), program)) }
        try keeper.link.spawn(launch(22, "true"))
        #expect(try keeper.end(of: 22).outcome == .exited(code: 0))
        for identifier in 23...42 { try keeper.link.spawn(launch(UInt64(identifier), program)) }
        try keeper.link.acknowledge(42)  // still queued: never to be born
        try keeper.link.acknowledge(22)
        try keeper.killDaemon()
        #expect(try keeper.handOver().count == 40)  // 1, 2...21, 23...41
        for identifier in 2...21 { #expect(try keeper.state(UInt64(identifier)).progress == .starting) }
        #expect(try keeper.state(41).progress == .queued)
        let killed = try keeper.state(30).process?.pid ?? 0
        kill(killed, SIGKILL)
        // A death inside execve is told as one just after it.
        #expect(try keeper.end(of: 30).outcome == .killed(signal: SIGKILL, coreDumped: false))
        try Syscall.check("fcntl F_SETLEASE", fcntl(leased.number, 1024, F_UNLCK))
        for identifier in 2...41 where identifier != 22 && identifier != 30 {
            #expect(try keeper.end(of: UInt64(identifier)).outcome == .exited(code: 0))
        }
    }

    @Test func malformedRequestsAreAnsweredNotFollowed() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        var generator = SplitMix(state: 42)
        for identifier in 1...400 {
            var spec = [UInt8](repeating: 0, count: Int(generator.next() % 900))
            for index in spec.indices where generator.next() % 3 == 0 { spec[index] = UInt8(generator.next() % 256) }
            if spec.count >= 8, generator.next() % 2 == 0 {
                unsafe spec.withUnsafeMutableBytes { bytes in
                    unsafe bytes.storeBytes(of: UInt32(SPAWN_SPEC_VERSION), as: UInt32.self)
                    unsafe bytes.storeBytes(of: UInt32(bytes.count), toByteOffset: 4, as: UInt32.self)
                }
                spec[spec.count - 1] = 0
            }
            var head = keeper_spawn()
            head.version = UInt8(KEEPER_PROTOCOL_VERSION)
            head.type = UInt8(KEEPER_SPAWN)
            head.launch = UInt64(identifier)
            head.spec_length = generator.next() % 5 == 0 ? UInt32.max : UInt32(spec.count)
            head.extra_count = generator.next() % 7 == 0 ? 200 : 0
            let isSealed = generator.next() % 6 != 0
            let memory = try Descriptor("memfd_create", unsafe corch_memfd("spec"))
            _ = unsafe spec.withUnsafeBytes { unsafe write(memory.number, $0.baseAddress, $0.count) }
            if isSealed { try Syscall.check("fcntl F_ADD_SEALS", corch_memfd_seal(memory.number)) }
            let sent = unsafe withUnsafeBytes(of: head) { head in
                unsafe withUnsafeBytes(of: memory.number) { number in
                    unsafe corch_send(
                        keeper.daemon.keeper.number, head.baseAddress, head.count, nil, 0,
                        number.assumingMemoryBound(to: Int32.self).baseAddress, generator.next() % 9 == 0 ? 0 : 1, 0)
                }
            }
            #expect(sent > 0)
            #expect(try keeper.failure(of: UInt64(identifier)) == SpawnFailure(stage: .request, code: EINVAL))
            try keeper.link.acknowledge(UInt64(identifier))
        }
        try keeper.link.spawn(launch(1000, "true"))
        #expect(try keeper.end(of: 1000).outcome == .exited(code: 0))
    }

    @Test func orphansAreReaped() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        var pipe = try Descriptor.pipe()
        var parent = launch(1, "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (sh -c 'exit 3' &) ; done; exit 0")
        parent.standardOutput = pipe.write.number
        try keeper.link.spawn(parent)
        pipe.write = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        #expect(contents(of: pipe.read.number) == "")  // the last of them is gone
        _ = try keeper.end(of: 1)
        var children = ""
        for identifier in 2...500 where children != "\(keeper.daemon.pid) " {
            try keeper.link.spawn(launch(UInt64(identifier), "true"))
            _ = try keeper.end(of: UInt64(identifier))  // the keeper has turned since
            children = contents("/proc/\(keeper.pid)/task/\(keeper.pid)/children")
        }
        #expect(children == "\(keeper.daemon.pid) ")
    }

    @Test func aThousandServicesAndAllTheirEnds() throws {
        let keeper = try Keeper()
        _ = try keeper.handOver()
        let start = corch_clock(CLOCK_MONOTONIC)
        var ends: [PipeBox] = []
        for identifier in 1...1000 {
            let pipe = try PipeBox()
            var service = launch(UInt64(identifier), "/bin/sleep", "1000")
            service.environment = ["HOME=/", "PATH=/usr/bin:/bin", "NAME=service-\(identifier)"]
            service.standardOutput = pipe.write
            service.heldReadEnds = [pipe.read]
            try keeper.link.spawn(service)
            ends.append(pipe)
        }
        var pids: [Int32] = []
        for identifier in 1...1000 {
            pids.append(try keeper.process(UInt64(identifier)).pid)
            try keeper.executed(UInt64(identifier))
        }
        let spawned = corch_clock(CLOCK_MONOTONIC)
        ends = []
        let memory = contents("/proc/\(keeper.pid)/smaps_rollup").split(separator: "\n").first { $0.hasPrefix("Pss:") }
        print("1,000 services: \((spawned - start) / 1_000_000) ms, keeper \(memory ?? "Pss: not readable")")
        try keeper.killDaemon()
        #expect(try keeper.handOver().count == 1000)
        for pid in pids { kill(pid, SIGKILL) }
        for identifier in 1...1000 {
            #expect(try keeper.end(of: UInt64(identifier)).outcome == .killed(signal: SIGKILL, coreDumped: false))
            try keeper.link.acknowledge(UInt64(identifier))
        }
        try keeper.killDaemon()
        #expect(try keeper.handOver().count == 0)
    }
}

/// A pipe in an array.
private final class PipeBox {
    let read: Int32
    let write: Int32

    init() throws {
        var pipe = try Descriptor.pipe()
        read = dup(pipe.read.number)
        write = dup(pipe.write.number)
        pipe.read = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
    }

    deinit {
        close(read)
        close(write)
    }
}

/// Random enough, and the same in every run.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
