// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Files that services watch.
extension LinuxHost {
    func watch(_ rules: [WatchRule], for service: ServiceID) {
        do { try fileWatch.watch(service, rules) } catch {
            outbox.append(.remarked(error.fault(step: "watch the files of", subject: "\(service)").text))
        }
    }

    func filesChanged() {
        for notice in fileWatch.take() {
            switch notice {
            case .changed(let service, let rule, let names):
                outbox.append(.event(.changed(service, rule: rule, names)))
            case .remark(let text): outbox.append(.remarked(text))
            }
        }
    }

    func react(_ action: WatchRule.Action, for launch: LaunchID, runner: LaunchID) {
        switch action {
        case .command(let command):
            run(command, as: runner, for: launch, .reaction(to: launch), limit: Limits.watchCommandTime)
        // The mind's own.
        case .restart, .signal, .reload: break
        }
    }
}
