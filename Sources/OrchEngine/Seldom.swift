// SPDX-License-Identifier: Apache-2.0

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

final class SeldomBox<Value: Sendable>: Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
