// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchLinux
import Testing

extension Keeper {
    func executed(_ launch: UInt64) throws {
        try wait("execution of \(launch)") { message in
            if case .executed(launch) = message { () } else { nil }
        }
    }

    func end(of launch: UInt64) throws -> ProcessEnd {
        try wait("end of \(launch)") { message in
            if case .ended(launch, let end) = message { end } else { nil }
        }
    }

    func failure(of launch: UInt64) throws -> SpawnFailure {
        try wait("failure of \(launch)") { message in
            if case .spawnFailed(launch, let failure) = message { failure } else { nil }
        }
    }

    func process(_ launch: UInt64) throws -> KeeperProcess {
        try wait("birth of \(launch)") { message in
            if case .spawned(launch, let process) = message { process } else { nil }
        }
    }

    /// Runs to the end and returns what it wrote.
    func output(_ launch: KeeperLink.Launch) throws -> String {
        var launch = launch
        var pipe = try Descriptor.pipe()
        launch.standardOutput = pipe.write.number
        try link.spawn(launch)
        pipe.write = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        let text = contents(of: pipe.read.number)
        #expect(try end(of: launch.identifier).outcome == .exited(code: 0))
        try link.acknowledge(launch.identifier)
        return text
    }
}

func launch(_ identifier: UInt64, _ arguments: String...) -> KeeperLink.Launch {
    var launch = KeeperLink.Launch(identifier: identifier, arguments: arguments)
    launch.searchPath = ["/nowhere", "/usr/bin", "/bin"]
    return launch
}

@Suite struct SpawnTests {
    @Test func exitCodesAndSignalsAreTold() throws {
        let keeper = try Keeper()
        try keeper.link.spawn(launch(1, "true"))
        try keeper.link.spawn(launch(2, "false"))
        try keeper.link.spawn(launch(3, "sh", "-c", "exit 77"))
        try keeper.link.spawn(launch(4, "sh", "-c", "kill -9 $$"))
        #expect(try keeper.end(of: 1).outcome == .exited(code: 0))
        #expect(try keeper.end(of: 2).outcome == .exited(code: 1))
        #expect(try keeper.end(of: 3).outcome == .exited(code: 77))
        #expect(try keeper.end(of: 4).outcome == .killed(signal: SIGKILL, coreDumped: false))
    }

    @Test func aBirthIsToldWithItsPidfdAndStartTime() throws {
        let keeper = try Keeper()
        try keeper.link.spawn(launch(1, "sleep", "1000"))
        let process = try keeper.process(1)
        try keeper.executed(1)
        let started = corch_process_start_ticks(process.pid)
        #expect(started == Int64(process.startTicks))
        guard let pidfd = process.pidfd?.take() else {
            Issue.record("no pidfd")
            return
        }
        let signalled = corch_pidfd_signal(pidfd.number, SIGTERM)
        #expect(signalled == 0)
        #expect(try keeper.end(of: 1).outcome == .killed(signal: SIGTERM, coreDumped: false))
    }

    @Test func failuresNameTheirStage() throws {
        let keeper = try Keeper()
        try keeper.link.spawn(launch(1, "no-such-program"))
        #expect(try keeper.failure(of: 1) == SpawnFailure(stage: .execute, code: ENOENT))
        try keeper.link.spawn(launch(2, "/etc/passwd"))
        #expect(try keeper.failure(of: 2) == SpawnFailure(stage: .execute, code: EACCES))
        var lost = launch(3, "true")
        lost.workingDirectory = "/no/such/directory"
        try keeper.link.spawn(lost)
        #expect(try keeper.failure(of: 3) == SpawnFailure(stage: .workingDirectory, code: ENOENT))
        var limited = launch(4, "true")
        limited.limits = [KeeperLink.Limit(resource: 9999, soft: 1, hard: 1)]
        try keeper.link.spawn(limited)
        #expect(try keeper.failure(of: 4) == SpawnFailure(stage: .limits, code: EINVAL))
        try keeper.link.spawn(launch(5, "true"))
        #expect(try keeper.end(of: 5).outcome == .exited(code: 0))
    }

    @Test func argumentsAndEnvironmentArriveByteForByte() throws {
        let keeper = try Keeper()
        var odd = launch(1, "printf", "%s|", "", " a b ", "ünï", "\n\t'\"$HOME\\")
        odd.environment = []
        #expect(try keeper.output(odd) == "| a b |ünï|\n\t'\"$HOME\\|")
        var environment = launch(2, "env")
        environment.environment = ["A=1", "EMPTY=", "LONG=" + String(repeating: "x", count: 30_000), "B=a=b"]
        #expect(try keeper.output(environment) == environment.environment.joined(separator: "\n") + "\n")
    }

    @Test func aSpecTooLargeForAMessageArrivesToo() throws {
        let keeper = try Keeper()
        var environment = launch(1, "env")
        environment.environment = (0..<40).map { "V\($0)=" + String(repeating: "y", count: 10_000) }
        #expect(try keeper.output(environment) == environment.environment.joined(separator: "\n") + "\n")
    }

    @Test func aChildHasNothingButItsDescriptors() throws {
        let keeper = try Keeper()
        #expect(try keeper.output(launch(1, tool("keeper-probe"), "fds")) == "0\n1\n2\n")
        let pipe = try Descriptor.pipe()
        var extra = launch(2, tool("keeper-probe"), "fds")
        extra.extraDescriptors = [
            (number: 7, descriptor: pipe.write.number), (number: 3, descriptor: pipe.read.number),
        ]
        #expect(try keeper.output(extra) == "0\n1\n2\n3\n7\n")
    }

    @Test func aChildStartsWithDefaultSignalsInASessionOfItsOwn() throws {
        let keeper = try Keeper()
        var asked = launch(1, "cat", "/proc/self/status")
        asked.noNewPrivileges = true
        let status = try keeper.output(asked).split(separator: "\n").map(String.init)
        for mask in ["SigBlk", "SigIgn", "SigCgt"] {
            #expect(status.contains("\(mask):\t0000000000000000"))
        }
        #expect(status.contains("NoNewPrivs:\t1"))
        #expect(try keeper.output(launch(2, tool("keeper-probe"), "session")) == "1\n")
    }

    @Test func whatWasAskedForIsApplied() throws {
        let keeper = try Keeper()
        var asked = launch(1, "sh", "-c", "pwd; umask; ulimit -n; ulimit -c; nice; cat /proc/self/oom_score_adj")
        asked.workingDirectory = keeper.directory
        asked.fileModeMask = 0o027
        asked.nice = 5
        asked.oomScoreAdjust = 321
        asked.limits = [KeeperLink.Limit(resource: 4, soft: 0, hard: 0)]
        #expect(try keeper.output(asked) == "\(keeper.directory)\n0027\n1024\n0\n5\n321\n")
        let own = contents("/proc/\(keeper.pid)/oom_score_adj")
        #expect(own != "321\n")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root")) func identityIsDropped() throws {
        let keeper = try Keeper()
        var asked = launch(1, "sh", "-c", "id -u; id -g; id -G")
        asked.user = 65534
        asked.group = 65533
        asked.groups = [65532]
        #expect(try keeper.output(asked) == "65534\n65533\n65533 65532\n")
        asked.identifier = 2
        asked.workingDirectory = "/root"
        asked.groups = []
        let root = try Descriptor("open", unsafe open("/root", O_RDONLY))
        var status = stat()
        _ = unsafe fstat(root.number, &status)
        guard status.st_mode & 0o001 == 0 else { return }
        try keeper.link.spawn(asked)
        #expect(try keeper.failure(of: 2) == SpawnFailure(stage: .workingDirectory, code: EACCES))
    }

    /// The unified hierarchy, wherever this machine mounts it, when we may make groups in it.
    static let hierarchy = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first { directory in
        unsafe access(directory + "/cgroup.procs", W_OK) == 0
    }

    @Test(.enabled(if: hierarchy != nil, "needs a writable cgroup v2 hierarchy"))
    func aChildIsBornInItsControlGroup() throws {
        let keeper = try Keeper()
        let name = "/orch-keeper-test-\(getpid())"
        let path = (SpawnTests.hierarchy ?? "") + name
        #expect(unsafe mkdir(path, 0o755) == 0)
        let group = try Descriptor("open", unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        var inside = launch(1, "cat", "/proc/self/cgroup")
        inside.controlGroup = group.number
        #expect(try keeper.output(inside).split(separator: "\n").contains { $0 == "0::\(name)" })
        #expect(unsafe rmdir(path) == 0)
        inside.identifier = 2
        try keeper.link.spawn(inside)
        #expect(try keeper.failure(of: 2) == SpawnFailure(stage: .controlGroup, code: ENOENT))
    }
}
