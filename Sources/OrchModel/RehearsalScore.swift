// SPDX-License-Identifier: Apache-2.0

/// What a rehearsal came to. All times count from the first `orch apply`.
public struct RehearsalScore: Equatable, Sendable {
    public var acts: [Act] = []
    /// Sorted by instance.
    public var parts: [Part] = []
    /// Rules of orch itself that were broken: no fault of the manifest.
    public var violations: [String] = []
    /// Nothing was played: the daemon would refuse the manifest, and why.
    public var refusal: Refusal?
    /// Turns of daemons' loops.
    public var turns = 0
    public init() {}

    /// Something is done or happens, and all that follows from it.
    public struct Act: Equatable, Sendable {
        public enum Outcome: Equatable, Sendable {
            /// Every service is ready and every task has succeeded.
            case settled
            /// Something was given up.
            case failed(String)
            /// Nothing will ever happen any more, and not all is up.
            case stuck
            /// The patience was over.
            case unsettled
            /// All of it is gone, as it was asked to.
            case gone
        }
        public var title: String
        /// The last one: everything is told to go.
        public var isDown = false
        public var from: Duration
        public var to: Duration
        public var outcome = Outcome.unsettled
        public var entries: [Entry] = []
        public init(_ title: String, from: Duration) {
            self.title = title
            self.from = from
            to = from
        }
    }

    /// Something that happened.
    public struct Entry: Equatable, Sendable {
        public enum Content: Equatable, Sendable {
            /// The world's doing.
            case world(InstanceID?, String)
            /// What orch did or noticed, and why.
            case orch(Occurrence)
        }
        public var at: Duration
        public var content: Content
        public init(at: Duration, _ content: Content) {
            self.at = at
            self.content = content
        }
    }

    /// An instance and how it went through the play.
    public struct Part: Equatable, Sendable {
        public var id: InstanceID
        /// `web`, or `web.2` when it is one of several.
        public var label: String
        public var kind: ServiceSpec.Kind
        public var launches = 0
        /// Without gaps, oldest first, until the end of the play.
        public var spans: [Span] = []
        /// How it stood before everything was taken down.
        public var last: InstanceStatus?
        public init(id: InstanceID, label: String, kind: ServiceSpec.Kind) {
            self.id = id
            self.label = label
            self.kind = kind
        }
    }

    /// An instance stays in one phase, for one reason.
    public struct Span: Equatable, Sendable {
        public var from: Duration
        public var to: Duration
        public var phase: Phase
        public var reason: String
        public init(from: Duration, phase: Phase, reason: String) {
            self.from = from
            to = from
            self.phase = phase
            self.reason = reason
        }
    }
}
