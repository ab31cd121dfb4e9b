// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// Beside which process `orch exec` puts a command, and what it says when it can't.
@Suite struct ExecCommandTests {
    private func instance(_ replica: Int, main: Int32?, _ pids: [Int32]) -> InstanceProcesses {
        let id = InstanceID(service: ServiceID(stack: "shop", service: "web"), replica: replica)
        return InstanceProcesses(
            id: id, label: "web.\(replica)", phase: main == nil ? .backoff : .ready,
            launch: main.map { _ in LaunchID(3) },
            main: main, tracking: nil, members: pids.map { ProcessMark(pid: $0, startTicks: 7) })
    }

    private func platform(_ instances: [InstanceProcesses]) -> ScriptedPlatform {
        ScriptedPlatform { command in
            switch command {
            case .processes: [.reply(.processes(instances))]
            case .status: [.reply(.status([.shop([.sample("web", .ready, pid: 40)])]))]
            default: []
            }
        }
    }

    @Test func theFirstThatRunsIsMeant() {
        let platform = platform([
            instance(1, main: nil, []), instance(2, main: 41, [40, 41]), instance(3, main: 42, [42]),
        ])
        platform.becomingFault = Fault(step: "execute", subject: "psql", reason: "no such file or directory (ENOENT)")
        let exit = run("exec web -- psql --list", on: platform)
        #expect(platform.became?.process == ProcessMark(pid: 41, startTicks: 7))
        #expect(platform.became?.words == ["psql", "--list"])
        #expect(exit.rawValue == 127 && platform.errors.contains("execute psql"), "\(platform.errors)")
    }

    @Test func whatCanNotBeExecutedIsToldAsShellsTellIt() {
        let platform = platform([instance(1, main: 41, [41])])
        platform.becomingFault = Fault(step: "execute", subject: "./notes", reason: "permission denied (EACCES)")
        #expect(run("exec web -- ./notes", on: platform).rawValue == 126)
        platform.becomingFault = Fault(
            step: "read", subject: "/proc/41/environ", reason: "permission denied (EACCES)", remedy: "run it as root")
        #expect(run("exec web -- env", on: platform) == .refused)
        #expect(platform.errors.contains("run it as root"))
    }

    @Test func withoutAProcessOrACommandItIsRefused() {
        let platform = platform([instance(1, main: nil, [])])
        #expect(run("exec web -- env", on: platform) == .refused)
        #expect(platform.errors.contains("web.1 has no process: it is backoff"), "\(platform.errors)")
        #expect(run("exec web", on: platform) == .usage)
        #expect(platform.errors.contains("`orch exec web -- env`"), "\(platform.errors)")
        #expect(platform.became == nil)
    }
}
