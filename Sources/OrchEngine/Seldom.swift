// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// A value that is looked at often and changed seldom: a copy of what holds it costs one reference, whatever it is made of.
@propertyWrapper
struct Seldom<Value: Sendable>: Sendable {
    private var box: SeldomBox<Value>

    init(wrappedValue: Value) { box = SeldomBox(wrappedValue) }

    var wrappedValue: Value {
        _read { yield box.value }
        set { box = SeldomBox(newValue) }
    }
}

/// The definition of a service, to be passed on for the cost of a reference.
final class KnownSpec: Sendable {
    let value: ServiceSpec
    /// The probes that it has.
    let probes: [ProbeKind]
    /// `ScheduleSpec.triggerText`; nil without a schedule.
    let trigger: String?
    /// `ServiceSpec.configurationDigest`.
    let configuration: Digest?
    /// Those of them that are about what it says, and that nobody asks.
    let heard: [ProbeKind]
    /// It has `resources`.
    let isLimited: Bool

    init(_ value: ServiceSpec) {
        self.value = value
        isLimited = !value.resources.isEmpty
        trigger = value.schedule?.triggerText
        configuration = value.configurationDigest
        heard = ProbeKind.allCases.filter { value.health[$0]?.action == .notify }
        probes = ProbeKind.allCases.filter { value.health[$0] != nil }
    }

    var isScheduled: Bool { trigger != nil }
    func has(_ kind: ProbeKind) -> Bool { probes.contains(kind) }
}

final class SeldomBox<Value: Sendable>: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
