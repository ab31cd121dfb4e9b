// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// How `orch attach` ends, and what it says then.
@Suite struct AttachCommandTests {
    private func platform(_ rows: [InstanceStatus]...) -> ScriptedPlatform {
        var left = rows
        return ScriptedPlatform { command in
            guard case .status = command else { return [] }
            defer { if left.count > 1 { left.removeFirst() } }
            return [.reply(.status([.shop(left[0])]))]
        }
    }

    private func web(_ phase: Phase, launch: UInt64 = 3, exit: Exit? = nil) -> InstanceStatus {
        var row = InstanceStatus.sample("web", phase, pid: phase.hasProcess ? 40 : nil)
        row.launch = LaunchID(launch)
        row.exit = exit
        return row
    }

    @Test func detachedItRunsOn() {
        let platform = platform([web(.ready)])
        platform.attachEnds = [.detached]
        #expect(run("attach web -n 3", on: platform) == .success)
        #expect(platform.attachments == [Attachment(LaunchID(3), lines: 3)])
        #expect(platform.errors.contains("detached; web runs on"), "\(platform.errors)")
    }

    @Test func anotherDaemonIsAskedFromWhereItWasSeen() {
        let platform = platform([web(.ready)])
        let seen = [Attachment.Place(nil, path: "/log", inode: 4, offset: 70)]
        platform.attachEnds = [.unreachable, .hungUp(seen), .unreachable, .detached]
        #expect(run("attach web", on: platform) == .success)
        #expect(platform.attachments.map(\.seen) == [nil, nil, seen, seen])
    }

    @Test(arguments: [
        (Phase.failed, 3, Exit.code(7), 7), (.ready, 4, .code(0), 0),
        (.backoff, 3, .signal(.kill, coreDumped: false), 137),
    ])
    func theEndOfTheServiceIsItsEnd(_ phase: Phase, _ launch: UInt64, _ exit: Exit, _ code: Int32) {
        let platform = platform([web(.ready)], [web(.ready)], [web(phase, launch: launch, exit: exit)])
        platform.attachEnds = [.hungUp([])]
        #expect(run("attach web", on: platform).rawValue == code)
        #expect(platform.errors.contains("web has ended: \(exit.text)"), "\(platform.errors)")
    }

    @Test func whatIsRefusedIsSaid() {
        let refused = platform([web(.ready)])
        refused.attachEnds = [.refused(reason: "it is full", remedy: "detach one")]
        #expect(run("attach web", on: refused) == .refused)
        #expect(refused.errors.contains("can't attach to web: it is full") && refused.errors.contains("detach one"))
        let nobody = platform([web(.ready)])
        #expect(run("attach web", on: nobody) == .refused)
        #expect(nobody.errors.contains("neither a terminal"), "\(nobody.errors)")
        let idle = platform([web(.idle)])
        #expect(run("attach web", on: idle) == .refused)
        #expect(idle.errors.contains("web has no process: it is idle") && idle.attachments.isEmpty)
        #expect(run("attach web -n -1", on: idle) == .usage)
    }

    @Test func keysAreHeldBackOnlyForTheNextOne() {
        var keys = DetachKeys()
        #expect(keys.take([97, 0x10]) == ([97], false))
        #expect(keys.take([98]) == ([0x10, 98], false))
        #expect(keys.take([0x10, 0x10]) == ([0x10], false))
        #expect(keys.take([0x11, 99]) == ([], true))
        var other = DetachKeys()
        #expect(other.take([0x11, 97]) == ([0x11, 97], false), "alone it is a key as any other")
    }
}
