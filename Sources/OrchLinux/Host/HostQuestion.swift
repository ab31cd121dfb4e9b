// SPDX-License-Identifier: Apache-2.0
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Who waits for the answer of the edge, or of a connection that is tried.
enum HostQuestion {
    case probe(LaunchID, ProbeKind, UInt64)
    case step(LaunchID, Int)
    case outside(OutsideNeed, UInt64)

    /// Nil when no launch is asked.
    var launch: LaunchID? {
        switch self {
        case .probe(let launch, _, _), .step(let launch, _): launch
        case .outside: nil
        }
    }
}

extension LinuxHost {
    func answer(_ question: HostQuestion, _ result: ProbeResult) {
        switch question {
        case .probe(let launch, let kind, let round):
            outbox.append(.event(.probed(launch, kind, round: round, result)))
        case .step(let launch, let step):
            switch result {
            case .success: stepEnded(launch, step, nil)
            case .failure(let reason), .unasked(let reason):
                stepEnded(launch, step, Fault(step: "send", subject: "the request of the stop step", reason: reason))
            }
        case .outside(let need, let round): outbox.append(.event(.answered(need, round: round, result)))
        }
    }
}
