// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// What `orch tree` makes of the daemon's answer and of the process table.
@Suite struct TreeTests {
    private func facts(_ pid: Int32, _ parent: Int32, _ command: String, descriptors: Int? = 5) -> ProcessFacts {
        ProcessFacts(
            mark: ProcessMark(pid: pid, startTicks: 1), parent: parent, user: "ada", command: command,
            cpu: .milliseconds(1500), memoryBytes: 12_000_000, descriptors: descriptors, threads: 2,
            startedAt: ScriptedPlatform.start + .seconds(-90))
    }

    private func instance(_ service: String, main: Int32?, _ pids: [Int32]) -> InstanceProcesses {
        let id = InstanceID(service: ServiceID(stack: "shop", service: service))
        return InstanceProcesses(
            id: id, label: service, phase: main == nil ? .idle : .ready, launch: main.map { _ in LaunchID(3) },
            main: main,
            tracking: pids.isEmpty ? nil : "cgroup", members: pids.map { ProcessMark(pid: $0, startTicks: 1) })
    }

    private func platform(terminal: TerminalSize? = nil) -> ScriptedPlatform {
        let answer = [instance("web", main: 40, [10, 40, 41, 42, 43, 50]), instance("off", main: nil, [])]
        let platform = ScriptedPlatform(terminal: terminal) { command in
            switch command {
            case .processes: [.reply(.processes(answer))]
            case .status: [.reply(.status([.shop([.sample("web", .ready, pid: 40)])]))]
            default: []
            }
        }
        let all = [
            facts(40, 1, "serve"), facts(41, 40, "worker 1"), facts(42, 41, "helper"),
            facts(43, 40, "worker 2", descriptors: nil),
            facts(10, 1, "strayed"),
        ]
        for one in all { platform.scripted.processes[one.mark.pid] = one }
        return platform
    }

    @Test func processesStandUnderWhoStartedThem() {
        let platform = platform()
        #expect(run("tree", on: platform) == .success)
        #expect(
            platform.output == """
                shop/web  ready  launch 3  held by control group
                  PID  USER   CPU    MEM  FDS  THREADS    AGE  COMMAND
                   40  ada   1.5s  12 MB    5        2  1m30s  serve
                   41  ada   1.5s  12 MB    5        2  1m30s  ├─ worker 1
                   42  ada   1.5s  12 MB    5        2  1m30s  │  └─ helper
                   43  ada   1.5s  12 MB    ?        2  1m30s  └─ worker 2
                   10  ada   1.5s  12 MB    5        2  1m30s  outside strayed
                   50  ?        ?      ?    ?        ?      ?  outside gone meanwhile, or hidden from ada

                shop/off  idle
                  no processes

                outside: of the service, and no descendant of its main process any more; a stop ends it as well
                ?: ada may not look into that process

                """, "\(platform.output)")
    }

    @Test(arguments: [24, 40, 72]) func itFitsNarrowTerminals(columns: Int) {
        let platform = platform(terminal: TerminalSize(columns: columns, rows: 24))
        platform.environment = [EnvironmentEntry("NO_COLOR", "1")]
        _ = run("tree", on: platform)
        for line in platform.output.split(separator: "\n") { #expect(DisplayWidth.of(line) <= columns, "\(line)") }
    }

    @Test func oneServiceIsAskedFor() {
        let platform = platform()
        #expect(run("tree web", on: platform) == .success)
        #expect(platform.commands.last == .processes(Target(stack: "shop", service: "web")))
        #expect(run("tree nothing", on: platform) == .failed)
    }

    @Test func withoutADaemonNothingLives() {
        let platform = platform()
        platform.isDaemonThere = false
        #expect(run("tree --json", on: platform) == .success)
        #expect(platform.output == "{\"instances\":[]}\n" && platform.errors.contains("no daemon runs"))
    }

    /// Numbers that were used again between two looks.
    @Test func aCircleOfParentsEnds() {
        let loop = [7: facts(7, 8, "a"), 8: facts(8, 7, "b"), 9: facts(9, 1, "main")]
        let forest = ProcessForest(instance("web", main: 9, [7, 8, 9])) { loop[Int($0.pid)] }
        #expect(forest.nodes.map(\.mark.pid) == [9, 7, 8])
        #expect(forest.nodes.map(\.isOutside) == [false, true, true])
    }
}
