// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchEngine
internal import OrchModel

/// Services that see mounts which others don't, and commands that are to see the same.
extension LinuxHost {
    /// The launch itself gets mounts of its own; a hook those of the launch that it is about, while that lives: before and after it those of the host.
    func confine(_ request: inout KeeperLink.Launch, _ order: LaunchOrder) throws(Obstacle) -> HeldDescriptor? {
        guard order.hook == nil else {
            guard let about = order.hook?.about, let served = records[about] else { return nil }
            return join(&request, beside: served)
        }
        request.hasPrivateTmp = order.process.hasPrivateTmp
        request.readOnly = order.process.readOnly
        guard request.hasPrivateTmp else { return nil }
        let hidden = ["/tmp/", "/var/tmp/"].contains { (run.path + "/").hasPrefix($0) }
        if hidden, order.spec.ready == .notify || order.spec.secrets.contains(where: { !$0.files.isEmpty }) {
            throw Obstacle(
                Fault(
                    step: "give mounts of its own to", subject: order.label,
                    reason:
                        "with `private_tmp` it would not see \(run.path), where its notify socket and its secrets are",
                    remedy: "run orch with XDG_RUNTIME_DIR or ORCH_HOME outside of /tmp, or leave `private_tmp` out"))
        }
        return nil
    }

    /// A command that serves a launch sees what its main process sees. To be kept until the keeper has it.
    func join(_ request: inout KeeperLink.Launch, beside served: LaunchRecord) -> HeldDescriptor? {
        guard served.context?.process.hasOwnMounts == true, !served.isOver, let pidfd = pidfd(of: served) else {
            return nil
        }
        guard let copy = try? Descriptor("fcntl F_DUPFD_CLOEXEC", corch_dup_above(pidfd, 3)) else { return nil }
        request.beside = copy.number
        request.extraDescriptors.append((number: KeeperLink.Launch.besideNumber, descriptor: copy.number))
        return HeldDescriptor(copy)
    }
}
