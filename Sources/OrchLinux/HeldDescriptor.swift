// SPDX-License-Identifier: Apache-2.0

/// A descriptor with shared ownership: closed with its last holder. For places that can't hold what can't be copied.
final class HeldDescriptor: Sendable {
    private let descriptor: Descriptor
    var number: Int32 { descriptor.number }
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}
