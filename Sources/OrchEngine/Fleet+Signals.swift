// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Signals that a person sends. What comes of one is the service's affair: an end by it is an end like any other.
extension Fleet {
    mutating func send(_ signal: Signal, to targets: [Target], at now: Moment) {
        for place in placesReached(by: targets) {
            guard let launch = slots[place]?.current?.launch else { continue }
            var effects: [Effect] = [.signal(launch, signal, to: .main)]
            tell(place, .signalled, "\(signal.name) sent by hand", at: now, launch: launch, &effects)
            pending += effects
        }
    }

    /// Whom a signal to these targets goes to now.
    public func reached(by targets: [Target]) -> [Recipient] {
        placesReached(by: targets).compactMap { place in
            slots[place].map { Recipient(label: label(of: $0), pid: $0.current?.pid) }
        }
    }

    /// Somebody must be there to hear it.
    func admitSignal(to targets: [Target]) throws(Refusal) {
        if placesReached(by: targets).isEmpty { throw noProcess(of: targets) }
    }

    /// Why there is nobody to be told anything.
    func noProcess(of targets: [Target]) -> Refusal {
        let silent = places(of: targets, withNeeds: false).compactMap { slots[$0] }
        guard let first = silent.first else { return Refusal(.conflict, "nothing of it is there") }
        let label = label(of: first)
        let reason = first.reason.isEmpty ? "" : " (\(first.reason))"
        if first.current?.stopping?.killedAt != nil {
            return Refusal(
                .conflict, "\(label) is being killed, and hears no signal any more",
                remedy: "`orch why \(label)` tells more")
        }
        return Refusal(
            .conflict, "\(label) has no process: it is \(first.phase.rawValue)\(reason)",
            remedy: first.phase.isWaitedFor
                ? "`orch wait \(label) --for started` waits for one" : "`orch start \(label)` starts it")
    }

    /// The places of launches whose main processes are alive, or about to be. Where two launches of an instance are there, the one that
    /// takes over is meant.
    func placesReached(by targets: [Target]) -> [Int] {
        places(of: targets, withNeeds: false).compactMap { place in
            [place, slots[place]?.predecessor].compactMap { $0 }.first { hears($0) }
        }
    }

    private func hears(_ place: Int) -> Bool {
        guard let incarnation = slots[place]?.current else { return false }
        return !incarnation.hasEnded && incarnation.stopping?.killedAt == nil
    }
}

/// The main process of an instance that a signal goes to.
public struct Recipient: Equatable, Sendable {
    public var label: String
    /// Nil while it is being executed.
    public var pid: Int32?

    /// `web (pid 4711)`.
    public var text: String { pid.map { "\(label) (pid \($0))" } ?? label }
}

extension Phase {
    /// There is no process, and orch is about to make one.
    fileprivate var isWaitedFor: Bool {
        switch self {
        case .waiting, .backoff, .starting: true
        case .idle, .running, .ready, .unhealthy, .reloading, .stopping, .done, .failed, .stuck: false
        }
    }
}
