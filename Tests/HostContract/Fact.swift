// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// An event of one launch without what differs from host to host: pids, ports, the words of a fault.
enum Fact: Equatable {
    enum Answer { case success, failure, unasked }
    case launched
    case failed(isScarcity: Bool)
    case exited(Exit)
    case emptied
    case drained
    case notified(Notice)
    case probed(round: UInt64, Answer)
    case stepEnded(Int, worked: Bool)
    case errandEnded(worked: Bool)
    case survivorsSeen
    /// What its tree uses was looked at.
    case looked

    static let failed = Fact.failed(isScarcity: false)
    static let succeeded = Fact.exited(.code(0))
    static let terminated = Fact.exited(.signal(.terminate, coreDumped: false))
    static let killed = Fact.exited(.signal(.kill, coreDumped: false))
}

extension Event {
    /// Nil for what is of no launch.
    var fact: (launch: LaunchID, fact: Fact)? {
        switch self {
        case .commanded, .answered, .changed, .reacted, .hostMeasured, .clockSet, .zoneRead: nil
        case .launched(let launch, _, _, _): (launch, .launched)
        case .launchFailed(let launch, _, let isScarcity): (launch, .failed(isScarcity: isScarcity))
        case .exited(let launch, let exit): (launch, .exited(exit))
        case .emptied(let launch): (launch, .emptied)
        case .drained(let launch): (launch, .drained)
        case .notified(let launch, let notice): (launch, .notified(notice))
        case .probed(let launch, _, let round, let result): (launch, .probed(round: round, result.answer))
        case .stepEnded(let launch, let step, let fault): (launch, .stepEnded(step, worked: fault == nil))
        case .errandEnded(let launch, _, let fault): (launch, .errandEnded(worked: fault == nil))
        case .survivorsSeen(let launch, _): (launch, .survivorsSeen)
        case .measured(let sample): (sample.launch, .looked)
        }
    }
}

extension ProbeResult {
    var answer: Fact.Answer {
        switch self {
        case .success: .success
        case .failure: .failure
        case .unasked: .unasked
        }
    }
}
