// SPDX-License-Identifier: Apache-2.0
internal import OrchEngine
internal import OrchModel

/// Who waits for an answer of the edge.
enum EdgeQuestion {
    case probe(LaunchID, ProbeKind, UInt64)
    case step(LaunchID, Int)

    var launch: LaunchID {
        switch self {
        case .probe(let launch, _, _), .step(let launch, _): launch
        }
    }
}

/// HTTP, which the edge speaks.
extension LinuxHost {
    func askEdge(_ request: HTTPProbe, timeout: Duration, _ question: EdgeQuestion) {
        let reason = "no orch-edge is installed"
        switch question {
        case .probe(let launch, let kind, let round): probed(launch, kind, round, .unasked(reason))
        case .step(let launch, let step):
            stepEnded(launch, step, Fault(step: "ask", subject: request.url, reason: reason))
        }
    }

    func edgeSpoke(_ ready: Poller.Ready) {}

    func endEdgeQuestions(of launch: LaunchID) {}
}
