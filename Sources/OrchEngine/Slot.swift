// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// The place of one instance: it lives as long as the instance is in the manifest or anything of it is alive.
struct Slot: Sendable {
    /// Exactly one: a copy of a slot costs one reference, and it is written to in place.
    var facts: [SlotFacts]

    init(id: InstanceID, service: Int, since: WallTime) {
        facts = [SlotFacts(id: id, service: service, since: since)]
    }

    /// What a person did by hand against the manifest; `Fleet.depart` writes it.
    fileprivate(set) var departure: Departure.Kind? {
        get { facts[0].departure }
        set { facts[0].departure = newValue }
    }
}

extension Fleet {
    /// Writes down what a person did by hand, for the slot and in the index of its stack.
    mutating func depart(_ place: Int, _ kind: Departure.Kind?) {
        guard let slot = slots[place], slot.departure != kind else { return }
        slots[place]?.departure = kind
        guard let stack = stackPlace(slot.id.service.stack) else { return }
        if kind == nil { stacks[stack].departed.remove(place) } else { stacks[stack].departed.insert(place) }
    }
}

/// What a start waits for once the services are there.
enum ToldWait: Sendable { case outside, locks }

/// The part of a slot's state that gates of other slots depend on.
struct Signature: Equatable, Sendable {
    var isOpen = false
    var isStarted = false
    var isReady = false
    var isHealthy = false
    var isProven = false
    /// Its former launch is still there.
    var isPaired = false
    var isCompleted = false
    var isSucceeded = false
    /// A hook holds up its start, or what comes after its end.
    var isHooked = false
    var mustGo = false
}

/// A service as it is wanted now.
struct Service: Sendable {
    var id: ServiceID
    private(set) var known: KnownSpec
    var definition: Digest
    var inherited: [EnvironmentEntry]
    var fileLimit: UInt64?
    /// Slots by replica, from 1; those that leave included until they are closed.
    var slots: [Int] = []
    /// Places of launches whose successors take over.
    var outgoing: [Int] = []
    /// Of `rollout`, and the spec of what ran before it.
    private var rolling: SeldomBox<Rollout>?
    private(set) var former: KnownSpec?
    /// The place whose replacement began last: most likely the one that the others wait for.
    var lastReplaced: Int?
    /// Places in `Fleet.services` of what `spec.dependsOn` names, nil for what is not there; same order.
    var needs: [Int?] = []
    /// What of `spec.dependsOn` is no service; same order.
    var outside: [OutsideNeed?] = []
    var hasOutside = false
    /// Places in `spec.dependsOn` of services that are waited for only so long.
    var timed: [Int] = []
    /// Places of the services that need this one, sorted.
    var neededBy: [Int] = []
    /// What the host may have open for it.
    var sockets: [SocketSpec] = []
    /// How many instances a person wants, where that is not what the manifest says.
    var scaled: Int?
    var replicas: Int { scaled ?? spec.replicas }
    /// What the host watches for it.
    var watched: [WatchRule] = []
    var isRemoved = false
    /// Its stack is going down.
    var isRetired = false

    init(id: ServiceID, spec: ServiceSpec, definition: Digest, inherited: [EnvironmentEntry], fileLimit: UInt64?) {
        self.id = id
        known = KnownSpec(spec)
        self.definition = definition
        self.inherited = inherited
        self.fileLimit = fileLimit
    }

    var spec: ServiceSpec {
        get { known.value }
        set { known = KnownSpec(newValue) }
    }
    /// The replacement of its instances by those of a new definition, until all are replaced and have proven themselves.
    var rollout: Rollout? {
        get { rolling?.value }
        set {
            rolling = newValue.map { SeldomBox($0) }
            former = newValue.map { KnownSpec($0.previous.spec) }
        }
    }
    var isRolling: Bool { rolling != nil }
    var formerDefinition: Digest? { rolling?.value.previous.definition }
}

/// A stack as it is wanted now.
struct StackRecord: Sendable {
    @Seldom var applied: AppliedStack
    /// Places in `Fleet.services`, by name.
    var services: [String: Int] = [:]
    /// The same in the order of the names; nil while services are being added.
    var sorted: [Int]?
    /// Instances that still have a slot.
    var slotCount = 0
    /// Places of the slots that depart from the manifest: an index.
    var departed: Set<Int> = []
    /// The trial that this revision came to nothing by, or that led back to it.
    var failedTrial: FailedTrial?
    /// Why it stopped by itself, while that holds any instance back; and how many.
    var halt: Halt?
    var haltedCount = 0
    /// How the host stands against its thresholds.
    var host: [HostStatus] = []
    var name: String { applied.request.stack.name }
}
