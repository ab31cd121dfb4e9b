// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchDaemon
internal import OrchModel

/// The keeper becomes another program, with everything it holds. This daemon lives meanwhile: should the new keeper end of it, or say
/// nothing, this process becomes the former one again.
extension LinuxHost {
    /// A keeper that waits for a child before its exec gives up by itself after a second.
    private static let renewalPatience = Duration.seconds(10)

    func renew(_ upgrade: Upgrade) {
        guard upgrade.keeperProtocol == Int(KEEPER_PROTOCOL_VERSION) else {
            return renewed(
                Fault(
                    step: "become", subject: upgrade.keeper,
                    reason:
                        "it speaks version \(upgrade.keeperProtocol) of what the keeper and the daemon say to each other, and the one that runs \(KEEPER_PROTOCOL_VERSION)",
                    remedy: "go by way of a version between the two, or `orch daemon stop`, which stops every service"))
        }
        do { try keeper.renew(upgrade.keeper, daemon: upgrade.daemon) } catch {
            return renewed(error.fault(step: "become", subject: upgrade.keeper))
        }
        renewal = upgrade
        appointments.add(.renewal, at: now.instant + Self.renewalPatience)
    }

    /// The keeper's answer: errno, 0 when it is the new one that says so.
    func keeperRenewed(_ code: Int32) {
        guard let upgrade = renewal else { return }
        renewal = nil
        guard code != 0 else { return renewed(nil) }
        let reason =
            code == EBUSY ? "a process that is being started has not begun within a second" : Reason.text(code)
        renewed(Fault(step: "become", subject: upgrade.keeper, reason: reason))
    }

    /// It has not answered: it is as good as dead, and is replaced as a dead one.
    func renewalIsLate() {
        guard let upgrade = renewal, !isKeeperLost else { return }
        outbox.append(
            .remarked(
                "\(upgrade.keeper) has not begun to serve within \(Self.renewalPatience.brief) and is killed: the upgrade is given up"
            ))
        guard let process = try? Descriptor("pidfd_open", corch_pidfd_open(getppid())) else { return }
        // Our parent it is only while it lives (getppid(2)): who took its number after its end is none.
        if getppid() == keeper.keeperPid { _ = corch_pidfd_signal(process.number, SIGKILL) }
    }

    private func renewed(_ fault: Fault?) { outbox.append(.renewed(fault)) }
}
