// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

extension Order {
    var summary: String {
        switch self {
        case .apply(let applied): "apply \(applied.request.stack.name) \(applied.revision.short)"
        case .down(let stack, _): "down \(stack)"
        case .start(let targets): "start \(targets.map { $0.service ?? $0.stack })"
        case .stop(let targets, _): "stop \(targets.map { $0.service ?? $0.stack })"
        case .restart(let targets): "restart \(targets.map { $0.service ?? $0.stack })"
        case .shutdown: "shutdown"
        }
    }
}

extension Event {
    var summary: String {
        switch self {
        case .commanded(let order): order.summary
        case .launched(let launch, _, _, _): "\(launch.number) executed"
        case .launchFailed(let launch, let fault, _): "\(launch.number) failed to launch: \(fault.reason)"
        case .exited(let launch, let exit): "\(launch.number) \(exit.text)"
        case .emptied(let launch): "\(launch.number) emptied"
        case .drained(let launch): "\(launch.number) drained"
        case .notified(let launch, let notice): "\(launch.number) says \(notice)"
        case .probed(let launch, let kind, let round, let result):
            "\(launch.number) \(kind.rawValue) #\(round): \(result)"
        case .stepEnded(let launch, let step, _): "\(launch.number) step \(step) ended"
        case .survivorsSeen(let launch, let names): "\(launch.number) survivors \(names)"
        }
    }
}

extension Effect {
    /// Nil for what is only written down.
    var summary: String? {
        switch self {
        case .launch(let order): "launch \(order.instance) as \(order.launch.number): \(order.because)"
        case .signal(let launch, let signal, let recipient):
            "\(signal.name) to \(recipient.rawValue) of \(launch.number)"
        case .runStep(let launch, let step, _, _, _): "step \(step) of \(launch.number)"
        case .kill(let launch): "kill \(launch.number)"
        case .release(let launch): "release \(launch.number)"
        case .probe(let launch, let kind, let round, _, _): "\(kind.rawValue) probe #\(round) of \(launch.number)"
        case .endProbes, .relog, .note, .record: nil
        case .forget(let stack): "forget \(stack)"
        }
    }
}
