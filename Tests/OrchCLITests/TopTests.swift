// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// The table of `orch top`, once and again and again.
@Suite struct TopTests {
    private func platform(terminal: TerminalSize? = nil, then steps: [ScriptedPlatform.Step] = []) -> ScriptedPlatform {
        var looks = 0
        let platform = ScriptedPlatform(terminal: terminal) { command in
            switch command {
            case .status(_, .usage):
                looks += 1
                return [.reply(.status([.shop(Self.instances(looks))]))]
            case .processes: return [.reply(.processes(Self.processes))] + (looks == 1 ? [] : steps)
            default: return []
            }
        }
        for pid in [40, 41, 50] as [Int32] {
            platform.scripted.processes[pid] = ProcessFacts(
                mark: ProcessMark(pid: pid, startTicks: 1), parent: pid == 41 ? 40 : 1, user: "ada", command: "serve",
                cpu: .zero, memoryBytes: 1, descriptors: pid == 50 ? nil : 4, threads: 3,
                startedAt: ScriptedPlatform.start)
        }
        return platform
    }

    private static func instances(_ looks: Int) -> [InstanceStatus] {
        var (api, web) = (InstanceStatus.sample("api", .ready, pid: 40), InstanceStatus.sample("web", .ready, pid: 50))
        (api.memoryBytes, web.memoryBytes) = (12_000_000, 40_000_000)
        if looks > 1 { (api.cpuPercent, web.cpuPercent) = (4, 50) }
        return [api, InstanceStatus.sample("off", .idle), web]
    }

    private static let processes: [InstanceProcesses] = [("api", [40, 41]), ("off", []), ("web", [50])].map {
        name, pids in
        InstanceProcesses(
            id: InstanceID(service: ServiceID(stack: "shop", service: name)), label: name, phase: .ready,
            launch: LaunchID(1),
            main: pids.first, tracking: "cgroup", members: pids.map { ProcessMark(pid: $0, startTicks: 1) })
    }

    @Test func withoutATerminalItIsOneTable() {
        let platform = platform()
        #expect(run("top", on: platform) == .success)
        #expect(
            platform.output == """
                2 of 3 instances run: 3 processes, 54% of a core, 52 MB
                SERVICE  PHASE   CPU    MEM  FDS  THREADS  PROCS  RESTARTS
                web      ready   50%  40 MB    ?        3      1         0
                api      ready  4.0%  12 MB    8        6      2         0
                off      idle                                            0

                """, "\(platform.output)")
    }

    @Test func theOrderIsAsAsked() throws {
        let platform = platform()
        #expect(run("top --once --json --sort descriptors", on: platform) == .success)
        let rows = try JSON.parse(platform.output)["instances"]?.array ?? []
        #expect(rows.map { $0["label"]?.string ?? "" } == ["api", "off", "web"])
        #expect(rows[0]["descriptors"] == 8 && rows[2]["descriptors"] == .null && rows[0]["cpu_percent"] == .double(4))
    }

    @Test(arguments: [("q", ExitCode.success), ("x", .daemon)]) func aKeyLeaves(_ key: String, _ exit: ExitCode) {
        let platform = platform(terminal: TerminalSize(columns: 100, rows: 20), then: [.typed(key), .hangUp])
        #expect(run("top", on: platform) == exit)
        #expect(platform.output.contains("q leaves") && platform.output.contains("█"))
        #expect(!platform.catchesKeys, "the terminal is as before")
    }

    /// Not only between two measurements.
    @Test func aKeyCountsWhileTheDaemonIsAsked() {
        let platform = ScriptedPlatform(terminal: TerminalSize(columns: 100, rows: 20))
        var looks = 0
        platform.script = { command in
            switch command {
            case .status(_, .usage):
                looks += 1
                return (looks == 2 ? [.typed("q")] : []) + [.reply(.status([.shop(Self.instances(looks))]))]
            case .processes: return [.reply(.processes(Self.processes))]
            default: return []
            }
        }
        #expect(run("top", on: platform) == .success && looks == 2)
    }

    @Test func ctrlCLeaves() {
        let platform = platform(terminal: TerminalSize(columns: 60, rows: 4), then: [.interrupt])
        #expect(run("top", on: platform) == .interrupted)
        #expect(platform.output.contains("… 3 more lines") && !platform.catchesKeys)
    }

    @Test func aLineOfBlocksHasItsLength() {
        #expect(Sparkline.of([0, 5, 10], length: 5) == "  ▁▅█")
        #expect(Sparkline.of([0, 1, 2, 3, 200], length: 3) == "▁▁█")
        #expect(Sparkline.of([], length: 5) == "")
    }
}
