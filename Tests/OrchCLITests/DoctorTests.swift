// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// What `orch doctor` makes of what a host and a manifest are like.
@Suite struct DoctorTests {
    private static let manifest = """
        name: shop
        services:
          web:
            command: [serve, --port, "80"]
            working_dir: /srv/web
            user: www
            ports: [80]
        """

    private func platform(_ manifest: String? = DoctorTests.manifest) -> ScriptedPlatform {
        let platform = ScriptedPlatform()
        platform.isDaemonThere = false
        platform.environment = [EnvironmentEntry("PATH", "/opt/bin:/usr/bin")]
        if let manifest { platform.files["/home/ada/shop/orch.yaml"] = manifest }
        return platform
    }

    private func rows(_ platform: ScriptedPlatform, _ words: String = "doctor --json") throws -> [Value] {
        platform.forgetOutput()
        _ = run(words, on: platform)
        return try JSON.parse(platform.output)["findings"]?.array ?? []
    }

    /// The facts of findings with that mark.
    private func facts(_ mark: String, _ platform: ScriptedPlatform) throws -> [String] {
        try rows(platform).filter { $0["mark"]?.string == mark }.compactMap { $0["fact"]?.string }
    }

    @Test func aSoundHostIsSound() throws {
        let platform = platform()
        platform.scripted.host.lowestFreePort = 80
        #expect(run("doctor", on: platform) == .success)
        #expect(
            platform.output == """
                ok       daemon          none runs, and nothing is applied; `orch apply` starts it
                ok       programs        orchd and orch-keeper are beside orch, all of version \(OrchVersion.text)
                ok       kernel          Linux 6.1.0 has what orch needs: pidfd_open, close_range, clone3
                ok       control groups  version 2, a group for each launch below /sys/fs/cgroup/ada, controllers memory, pids
                ok       resources       the kernel holds limits of memory (unless on_exceed is report), cpus, pids, by control groups
                ok       descriptors     4096 for the daemon (hard RLIMIT_NOFILE), enough for 576 instances
                ok       inotify         128 instances and 8192 watches for each user, and some are left
                ok       web             /opt/bin/serve can be executed in /srv/web by www

                Nothing is wrong.

                """)
        let nothing = self.platform(nil)
        #expect(run("doctor", on: nothing) == .success)
        #expect(!nothing.output.contains("web"))
    }

    @Test func eachTroubleHasItsReasonAndRemedy() throws {
        let platform = platform()
        let host = platform.scripted
        host.stranger = "www"
        host.obstacles["enter /srv/web"] = PathObstacle(
            .closed, "permission denied (EACCES): the folder /srv is closed to it")
        for folder in ["/opt/bin", "/usr/bin"] {
            host.obstacles["execute \(folder)/serve"] = PathObstacle(.missing, "no such file or directory (ENOENT)")
        }
        host.ports[80] = PortObstacle(
            Fault(
                step: "use", subject: "port 80/tcp on any address",
                reason: "address already in use (EADDRINUSE) by pid 7 (nginx), user root",
                remedy: "stop that process, or give another port"))
        #expect(run("doctor", on: platform) == .failed)
        #expect(
            platform.output.hasSuffix(
                """
                error    web             cannot enter the working directory /srv/web: permission denied (EACCES): the folder /srv is closed to it  orch.yaml:5:5
                                         help: let www pass (chmod o+x), or correct `working_dir`
                error    web             cannot execute serve: no such file (ENOENT) in /opt/bin:/usr/bin  orch.yaml:4:5
                                         help: install it, give its full path, or set PATH in `environment`
                warning  web             port 80/tcp is below 1024  orch.yaml:7:5
                                         without CAP_NET_BIND_SERVICE the kernel refuses it to ada
                                         help: take a higher port, `setcap cap_net_bind_service=+ep` the program, or apply the stack as root
                error    web             cannot use port 80/tcp on any address: address already in use (EADDRINUSE) by pid 7 (nginx), user root  orch.yaml:7:5
                                         help: stop that process, or give another port

                3 errors, 1 warning.

                """), "\(platform.output)")
    }

    /// Every key is always there, so that a script need not ask.
    @Test func everyFindingHasEveryKey() throws {
        for row in try rows(platform()) {
            #expect(row.members?.map(\.key) == ["mark", "about", "fact", "reason", "remedy", "position"])
        }
    }

    @Test func whatAStackRunsItselfIsNoConflict() throws {
        let platform = platform()
        platform.scripted.host.mayTakeLowPorts = true
        let fault = Fault(step: "use", subject: "port 80/tcp", reason: "in use")
        platform.scripted.ports[80] = PortObstacle(fault, holder: ServiceID(stack: "shop", service: "web"))
        #expect(run("doctor", on: platform) == .success)
        platform.scripted.ports[80] = PortObstacle(fault, holder: ServiceID(stack: "shop", service: "api"))
        #expect(run("doctor", on: platform) == .failed)
    }

    /// What a manifest asks for and the kernel can't hold is said, with the reason; where nobody asks it is no warning.
    @Test func limitsThatAreOnlyLookedAtAreSaid() throws {
        let bare = platform(nil)
        bare.scripted.host.groups.limits = ["pids"]
        bare.scripted.host.groups.limitObstacle = "others live in its group: pid 7"
        #expect(run("doctor", on: bare) == .success)
        #expect(
            bare.output.contains(
                "ok       resources       the kernel holds limits of pids, by control groups; limits of memory, cpus"))
        #expect(bare.output.contains("others live in its group: pid 7"))
        let platform = platform("services:\n  web: { command: /opt/bin/serve, resources: { memory: 1GB } }\n")
        platform.scripted.host.groups.limits = []
        platform.scripted.host.groups.hasVersion1 = true
        #expect(run("doctor", on: platform) == .success)
        #expect(
            platform.output.contains("warning  resources       \(SampledLimits.promise(["memory", "cpus", "pids"]))"))
        #expect(platform.output.contains("systemd.unified_cgroup_hierarchy=1"))
    }

    /// The same words in `status` and here; that it is weaker is no failure.
    @Test func theWeakerPromiseIsStated() throws {
        let platform = platform(nil)
        platform.scripted.host.groups.obstacle = "permission denied (EACCES)"
        #expect(run("doctor", on: platform) == .success)
        #expect(
            platform.output.contains(
                "warning  control groups  they can't be made below /sys/fs/cgroup/ada: permission denied"))
        #expect(platform.output.contains(SessionHold.promise) && platform.output.contains("Delegate=yes"))
        platform.scripted.host.groups = ControlGroupFacts()
        platform.scripted.host.groups.obstacle = "no version 2 hierarchy is mounted"
        platform.scripted.host.groups.hasVersion1 = true
        #expect(try rows(platform).contains { $0["remedy"]?.string?.contains("unified_cgroup_hierarchy") ?? false })
        var row = InstanceStatus.sample("web", .ready, pid: 7)
        row.tracking = "session"
        let stacks = [StackStatus.shop([row])]
        let living = ScriptedPlatform { command in
            switch command {
            case .status: [.reply(.status(stacks))]
            default: []
            }
        }
        #expect(run("status", on: living) == .success)
        #expect(living.output.hasSuffix("\n\(SessionHold.promise) (`orch doctor` says why)\n"), "\(living.output)")
    }

    @Test func aKernelWithoutItsCallsIsTold() throws {
        let platform = platform(nil)
        platform.scripted.host.missingCalls = [.clone3]
        #expect(run("doctor", on: platform) == .success)
        #expect(try facts("warning", platform) == ["Linux 6.1.0 refuses clone3 (since 5.3)"])
        platform.scripted.host.missingCalls = [.pidfdOpen, .closeRange]
        #expect(run("doctor", on: platform) == .failed)
    }

    @Test func limitsAreHeldAgainstWhatIsToRun() throws {
        let platform = platform(
            """
            services:
              web:
                command: [serve]
                replicas: 600
                ulimits: { nofile: { soft: 100, hard: 9000 }, core: 0 }
            """)
        platform.scripted.host.limits.append(Ulimit(.core, soft: 0, hard: nil))
        platform.scripted.host.processes = Room(used: 995, limit: 1000, setBy: "kernel.pid_max")
        platform.scripted.host.inotifyObstacle = Fault(
            step: "make an instance of", subject: "inotify", reason: "too many open files (EMFILE)")
        let errors = try facts("error", platform)
        #expect(
            errors == [
                "4096 for the daemon (hard RLIMIT_NOFILE), enough for 576 instances, and there are 600",
                "cannot make an instance of inotify: too many open files (EMFILE)",
                "ulimits.nofile of 9000 is above the daemon's own, which is 4096",
            ])
        #expect(try facts("warning", platform) == ["995 processes and threads of at most 1000 (kernel.pid_max)"])
        platform.scripted.host.mayRaiseLimits = true
        platform.scripted.host.mostDescriptors = 8000
        #expect(try facts("error", platform).last == "ulimits.nofile of 9000 is above fs.nr_open, which is 8000")
    }

    @Test func disksThatFailAreTold() throws {
        let platform = platform(
            "services:\n  web: { command: [serve], logging: { stdout: /far/web.log, stderr: /near/web.log } }\n")
        var state = FileSystemFacts(kind: "nfs4")
        state.space = Room(used: 100, limit: 1_000_100, setBy: "")
        platform.scripted.fileSystems["/state"] = state
        var far = FileSystemFacts(kind: "fuse.sshfs")
        far.answers = false
        platform.scripted.fileSystems["/far"] = far
        var near = FileSystemFacts(kind: "ext4")
        near.files = Room(used: 10, limit: 10, setBy: "")
        platform.scripted.fileSystems["/near"] = near
        platform.scripted.obstacles["write /near/web.log"] = PathObstacle(.denied, "permission denied (EACCES)")
        #expect(
            try facts("warning", platform) == [
                "/state is on a network file system (nfs4)", "/state has 1.0 MB left",
            ])
        #expect(
            try facts("error", platform) == [
                "its log /near/web.log can't be written: permission denied (EACCES)",
                "/far is on a file system (fuse.sshfs) that does not answer", "/near has 0 inodes left",
            ])
    }

    @Test func aLockIsOnlyRead() throws {
        let platform = platform("services:\n  web: { command: [serve], locks: [/var/a, /var/b, /var/c] }\n")
        let host = platform.scripted
        // There, and of somebody else's; a folder; missing, where nothing can be made.
        host.obstacles["write /var/a"] = PathObstacle(.denied, "permission denied (EACCES)")
        host.obstacles["read /var/b"] = PathObstacle(.shape, "it is no file")
        host.obstacles["read /var/c"] = PathObstacle(.missing, "no such file or directory (ENOENT)")
        host.obstacles["write /var/c"] = PathObstacle(.denied, "it can't be made in /var: permission denied (EACCES)")
        #expect(
            try facts("error", platform) == [
                "its lock /var/c can't be taken: it can't be made in /var: permission denied (EACCES)"
            ])
    }

    @Test func theDaemonsTroublesAreTold() throws {
        let platform = platform(nil)
        platform.orphanCount = 2
        #expect(run("doctor", on: platform) == .failed)
        platform.orphanCount = 0
        platform.scripted.host.staleSocket = "/run/orch/orch.sock"
        platform.programFault = Fault(step: "find", subject: "orchd", reason: "it is nowhere", remedy: "make install")
        platform.files["/state/orch.db.damaged-1"] = "x"
        platform.files["/state/orch.db.damaged-1-wal"] = "x"
        #expect(
            try facts("warning", platform) == [
                "/run/orch/orch.sock is left over: nobody listens at it",
                "/state/orch.db.damaged-1 was damaged and set aside",
            ])
        #expect(try facts("error", platform) == ["cannot use orchd: it is nowhere"])
    }

    @Test func aDaemonOfAnotherVersionIsTold() throws {
        let platform = ScriptedPlatform { command in
            switch command {
            case .daemonStatus:
                [
                    .reply(
                        .daemon(
                            DaemonStatus(
                                version: "0.0.1", pid: 7, startedAt: ScriptedPlatform.start, stacks: 1, instances: 1,
                                launches: 1,
                                clients: 1, isShuttingDown: false, remarks: ["one", "two"])))
                ]
            case .status: [.reply(.status([.shop([.sample("web", .ready, pid: 8)])]))]
            default: []
            }
        }
        platform.version = "0.0.1"
        platform.scripted.obstacles["read /home/ada/shop/orch.yaml"] = PathObstacle(.missing, "no such file")
        let warnings = try facts("warning", platform)
        #expect(warnings.first == "it runs version 0.0.1, and this is orch \(OrchVersion.text)")
        #expect(warnings.contains("it has 2 remarks on itself; the last: two"))
        #expect(
            warnings.contains {
                $0.hasPrefix("stack shop was applied from /home/ada/shop/orch.yaml, which is not there")
            })
    }

    @Test func aWrongManifestIsToldWithItsPlaces() throws {
        let platform = platform("services:\n  web: { commnd: x }\n")
        let row = try #require(try rows(platform).first { $0["about"] == "manifest" })
        #expect(row["mark"] == "error" && row["position"]?.array?.count == 3, "\(row)")
        #expect(row["remedy"]?.string?.contains("command") ?? false)
    }

    @Test(arguments: [
        ("node server.js", "node"), ("exec ./run --fast", "./run"), ("A=1 B=2 python3 -m http.server", "python3"),
        ("set -e\nfoo", nil), ("cd /srv && ./run", nil), ("$HOME/bin/run", nil), ("foo() { :; }; foo", nil),
        ("(a; b)", nil),
        ("if true; then x; fi", nil), ("\"quoted\" x", nil), ("a=$(b) c", nil), ("", nil),
    ])
    func whatAShellBeginsWith(_ text: String, _ program: String?) {
        #expect(ProgramSearch.firstProgram(ofShell: text) == program)
    }

    @Test func programsAreLookedForAsTheKeeperDoes() throws {
        let platform = platform(
            """
            services:
              gone: { command: "missing --flag" }
              moved: { command: [bin/app] }
              probed: { command: [serve], health: { readiness: { command: [check] } } }
              late: { command: ["${ORCH_SERVICE}"] }
            """)
        let host = platform.scripted
        for folder in ["/opt/bin", "/usr/bin"] {
            for name in ["missing", "check"] {
                host.obstacles["execute \(folder)/\(name)"] = PathObstacle(.missing, "-")
            }
        }
        host.interpreters["/home/ada/shop/bin/app"] = "/old/venv/python"
        host.obstacles["execute /old/venv/python"] = PathObstacle(.missing, "no such file or directory (ENOENT)")
        #expect(
            try facts("error", platform) == [
                "cannot execute missing: no such file (ENOENT) in /opt/bin:/usr/bin",
                "cannot execute /home/ada/shop/bin/app: its interpreter /old/venv/python: no such file or directory (ENOENT)",
                "cannot execute check: no such file (ENOENT) in /opt/bin:/usr/bin",
            ])
    }
}
