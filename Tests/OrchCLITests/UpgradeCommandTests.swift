// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// What a person reads who upgrades.
@Suite struct UpgradeCommandTests {
    private func status(_ version: String, pid: Int32, fallback: String? = nil) -> DaemonStatus {
        DaemonStatus(
            version: version, pid: pid, startedAt: ScriptedPlatform.start, stacks: 1, instances: 3, launches: 3,
            clients: 1, isShuttingDown: false, fallback: fallback, remarks: [])
    }

    /// The daemon that runs is another version, answers, and is another one from then on.
    private func platform(next: DaemonStatus) -> ScriptedPlatform {
        var isUpgraded = false
        let platform = ScriptedPlatform { command in
            switch command {
            case .daemonStatus: return [.reply(.daemon(isUpgraded ? next : self.status("0.0.9", pid: 10)))]
            case .daemonUpgrade:
                isUpgraded = true
                return [.reply(.accepted(nil, text: nil))]
            default: return []
            }
        }
        platform.version = "0.0.9"
        return platform
    }

    @Test func fromWhichVersionToWhich() {
        let platform = platform(next: status(OrchVersion.text, pid: 11))
        #expect(run("daemon upgrade", on: platform) == .success)
        #expect(platform.output.hasPrefix("orch 0.0.9 → \(OrchVersion.text) in "))
        #expect(platform.output.contains("daemon pid 10 → 11, 3 launches handed over. Services run on."))
        let asked = Upgrade(keeper: "/opt/orch/orch-keeper", daemon: "/opt/orch/orchd", keeperProtocol: 1)
        #expect(platform.commands.contains(.daemonUpgrade(asked)))
    }

    @Test func whyTheFormerVersionRuns() {
        let platform = platform(next: status("0.0.9", pid: 11, fallback: "the new one ended at its start"))
        #expect(run("daemon upgrade", on: platform) == .failed)
        #expect(
            platform.errors.hasPrefix(
                "orch: version \(OrchVersion.text) did not take over: the new one ended at its start\n"))
        #expect(platform.errors.contains("services run on"))
    }

    @Test func programsThatCanNotRunAreSaidBeforeTheDaemonIsAsked() {
        let platform = platform(next: status(OrchVersion.text, pid: 11))
        platform.programFault = Fault(
            step: "upgrade to", subject: "/opt/orch/orchd", reason: "cannot open shared object file",
            remedy: "install a version that runs here")
        #expect(run("daemon upgrade", on: platform) == .failed)
        #expect(platform.errors.contains("/opt/orch/orchd") && platform.errors.contains("shared object"))
        #expect(platform.commands.isEmpty)
    }

    @Test func withoutADaemonOneIsStarted() {
        let platform = platform(next: status(OrchVersion.text, pid: 11))
        platform.version = OrchVersion.text
        platform.isDaemonThere = false
        #expect(run("daemon upgrade", on: platform) == .success)
        #expect(platform.daemonStarts == 1 && platform.output.contains("No daemon ran"))
    }
}
