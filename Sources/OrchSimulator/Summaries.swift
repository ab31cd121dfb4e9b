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
        case .reload(let targets): "reload \(targets.map { $0.service ?? $0.stack })"
        case .scale(let target, let replicas): "scale \(target.summary) to \(replicas)"
        case .signal(let targets, let signal): "\(signal.name) to \(targets.map { $0.service ?? $0.stack })"
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
        case .answered(let need, let round, let answer): "\(need.text) #\(round): \(answer)"
        case .stepEnded(let launch, let step, _): "\(launch.number) step \(step) ended"
        case .errandEnded(let launch, let runner, let fault):
            "errand \(runner.number) of \(launch.number) \(fault.map { "failed: \($0.reason)" } ?? "worked")"
        case .survivorsSeen(let launch, let names): "\(launch.number) survivors \(names)"
        case .measured(let sample): "\(sample.launch.number) uses \(sample.memoryBytes ?? 0) bytes"
        case .hostMeasured(let readings): "the host: \(readings.map { "\($0.resource.text) \($0.used ?? 0)" })"
        case .clockSet: "the clock was set"
        case .changed(let service, let rule, let changes): "\(service) rule \(rule) \(changes)"
        case .reacted(let launch, let fault): "\(launch.number) reacted: \(fault?.text ?? "well")"
        case .zoneRead(let name, let zone): "time zone \(name) \(zone == nil ? "unknown" : "read")"
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
        case .run(let errand): "errand \(errand.runner.number) of \(errand.launch.number)"
        case .endErrand(let launch, let runner): "end errand \(runner.number) of \(launch.number)"
        case .kill(let launch): "kill \(launch.number)"
        case .release(let launch): "release \(launch.number)"
        case .probe(let launch, let kind, let round, _, _): "\(kind.rawValue) probe #\(round) of \(launch.number)"
        case .ask(let need, let round, _): "ask \(need.text) #\(round)"
        case .endProbes, .relog, .keepUpdates, .note, .record, .mark: nil
        case .sockets(let service, let sockets, let former):
            "keep \(sockets.map(\.listen.text)) open for \(service)\(former.map { ", formerly \($0)" } ?? "")"
        case .watch(let service, let rules): "watch \(rules.map(\.path)) for \(service)"
        case .react(let launch, let action, _): "\(action) of \(launch.number)"
        case .measure(let questions): "look at \(questions.map(\.launch.number))"
        case .measureHost(let wanted): "look at \(wanted.map(\.text))"
        case .dropStored(let instance): "close what \(instance) has handed over"
        case .readZone(let name): "read the time zone \(name)"
        case .keep(let applied): "keep \(applied.request.stack.name) \(applied.revision.short)"
        case .rename(let launch, let instance, _): "\(launch.number) is \(instance) now"
        case .goBack(let stack): "go back in \(stack)"
        case .forget(let stack): "forget \(stack)"
        }
    }
}

extension Command {
    var summary: String {
        switch self {
        case .apply(let request): "apply \(request.stack.name)"
        case .diff(let request): "diff \(request.stack.name)"
        case .rollback(let request): "rollback \(request.stack)"
        case .rollbackPlan(let request): "rollback \(request.stack), planned"
        case .history(let target): "history \(target.summary)"
        case .down(let stack, let timeout): "down \(stack)\(timeout.map { " within \($0.text)" } ?? "")"
        case .start(let targets): "start \(targets.map(\.summary))"
        case .stop(let targets, let timeout):
            "stop \(targets.map(\.summary))\(timeout.map { " within \($0.text)" } ?? "")"
        case .restart(let targets): "restart \(targets.map(\.summary))"
        case .reload(let targets): "reload \(targets.map(\.summary))"
        case .signal(let targets, let signal): "\(signal.name) to \(targets.map(\.summary))"
        case .status(let target, _): "status \(target?.summary ?? "")"
        case .processes(let target): "processes \(target?.summary ?? "")"
        case .recall(let manifest): "recall \(manifest)"
        case .applyKnown: "apply what is known"
        case .follow(let targets, let goal, _): "follow \(targets.map(\.summary)) until \(goal.word)"
        case .why(let target): "why \(target.summary)"
        case .events(let target, _, let follows): "events \(target?.summary ?? "")\(follows ? ", following" : "")"
        case .scale(let target, let replicas): "scale \(target.summary) to \(replicas)"
        case .rotateLogs(let targets): "rotate the logs of \(targets.map(\.summary))"
        case .daemonStatus: "daemon status"
        case .daemonStop: "daemon stop"
        case .daemonRestart: "daemon restart"
        case .daemonUpgrade: "daemon upgrade"
        }
    }
}

extension Target {
    var summary: String { stack + (service.map { "/\($0)" } ?? "") + (replica.map { ".\($0)" } ?? "") }
}
