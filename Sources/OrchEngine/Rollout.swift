// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A service as an earlier revision wanted it, whole, so that it can be launched again.
public struct ServiceVersion: Equatable, Sendable {
    public var spec: ServiceSpec
    public var inherited: [EnvironmentEntry]
    public var fileLimit: UInt64?
    public let definition: Digest
    public init(spec: ServiceSpec, inherited: [EnvironmentEntry], fileLimit: UInt64?) {
        self.spec = spec
        self.inherited = inherited
        self.fileLimit = fileLimit
        definition = spec.definitionDigest
    }
}

/// An update of one service that is not over. It is kept with the stack, so that the next daemon goes on with it.
public struct Rollout: Equatable, Sendable {
    public enum Stance: String, Sendable, CaseIterable {
        /// Instances are replaced.
        case going
        /// One failed: those that were not replaced yet keep what they run.
        case paused
        /// One failed: all return to what they ran.
        case rolledBack = "rolled-back"
    }
    public var service: String
    /// What ran before: the last definition that all instances had.
    public var previous: ServiceVersion
    public var stance = Stance.going
    /// Which instance failed and how; empty while it goes on.
    public var reason = ""
    /// Replicas that keep the previous definition, sorted.
    public var held: [Int] = []
    public init(service: String, previous: ServiceVersion) {
        self.service = service
        self.previous = previous
    }
}

/// A service of a revision that is an earlier one under another name.
public struct Renaming: Equatable, Sendable {
    public var from: String
    public var to: String
    public init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}
