// SPDX-License-Identifier: Apache-2.0

/// A manifest and what goes wrong with it, to be played on a machine in memory: no process, no file and no daemon is touched.
public struct Rehearsal: Equatable, Sendable {
    public var request: ApplyRequest
    /// In the order in which they are played. Empty: every service that comes up dies once, and once its probes fail.
    public var mishaps: [Mishap] = []
    /// From the execution of a service until it is ready, and of a task until it ends; the last one of a name counts.
    public var takes: [ServiceSpan] = []
    /// What is not listed in `takes` and has something to announce, by a probe or by itself, takes so long; a task too.
    public var usually = Duration.seconds(1)
    /// How long each act is watched at most before the next one comes, in virtual time.
    public var patience = Duration.seconds(600)
    /// Where all chance comes from: the same seed gives the same play.
    public var seed: UInt64 = 1

    public init(_ request: ApplyRequest) { self.request = request }

    /// How long this service takes from its execution to what it is good for.
    public func takes(_ spec: ServiceSpec) -> Duration {
        if let named = takes.last(where: { $0.service == spec.name }) { return named.span }
        return spec.kind == .task || spec.announcesReadiness ? usually : .zero
    }
}

/// A service and a duration.
public struct ServiceSpan: Equatable, Sendable {
    public var service: String
    public var span: Duration
    public init(_ service: String, _ span: Duration) {
        self.service = service
        self.span = span
    }
}

/// Something that goes wrong.
public struct Mishap: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        /// The main process ends without orch's doing.
        case ends(Exit)
        /// It can't be executed.
        case failsToLaunch
        /// A task goes on for ever.
        case neverEnds
        /// It runs, and its probes or its own announcement never say that it is ready.
        case neverReady
        /// It is up, and its probes fail until it is replaced or `Mishap.sickness` is over.
        case failsProbes
        /// Nothing but SIGKILL ends it.
        case isDeaf
        /// When its main process ends, a child lives on.
        case leavesChildren
        case daemonDies
        case keeperDies
        case machineReboots
        case diskIsFull
        /// Nothing goes wrong; schedules have their runs.
        case timePasses(Duration)
    }
    /// Whom it befalls: nil for what befalls the whole machine.
    public var service: String?
    /// One instance of several; nil for all.
    public var replica: Int?
    public var kind: Kind
    /// How often: so many times, or with so many launches; nil is every time.
    public var times: Int?
    /// In the words that asked for it.
    public var phrase: String

    public init(_ kind: Kind, of service: String? = nil, replica: Int? = nil, times: Int?, phrase: String) {
        self.kind = kind
        self.service = service
        self.replica = replica
        self.times = times
        self.phrase = phrase
    }

    /// How long probes fail of what nothing replaces.
    public static let sickness = Duration.seconds(60)
}

extension ServiceSpec {
    /// Ready is more than executed: a probe or the service itself says so.
    public var announcesReadiness: Bool {
        kind == .service && (ready != nil || health.startup != nil || health.readiness != nil)
    }
}
