// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc

/// One message to the keeper. While it waits its descriptors are its own copies.
struct Outgoing {
    var head: [UInt8]
    var descriptors: [Int32]

    func send(to socket: Int32) -> Int64 {
        unsafe head.withUnsafeBytes { head in
            unsafe descriptors.withUnsafeBufferPointer { descriptors in
                unsafe corch_send(
                    socket, head.baseAddress, head.count, nil, 0, descriptors.baseAddress, Int32(descriptors.count),
                    Int32(MSG_DONTWAIT))
            }
        }
    }

    /// The same message, independent of what the caller does with the descriptors.
    func keeping() throws(SystemError) -> Outgoing {
        var copy = self
        copy.descriptors = []
        for descriptor in descriptors {
            let number = corch_dup_above(descriptor, 3)
            guard number >= 0 else {
                copy.close()
                throw SystemError("fcntl F_DUPFD_CLOEXEC", code: -number)
            }
            copy.descriptors.append(number)
        }
        return copy
    }

    func close() {
        for descriptor in descriptors { _ = Descriptor(owning: descriptor) }
    }
}

/// The head of SPAWN and the descriptors that go with it, in the protocol's order.
struct Request {
    private var spawn = keeper_spawn()
    private(set) var descriptors: [Int32]

    var head: [UInt8] { unsafe withUnsafeBytes(of: spawn) { unsafe [UInt8]($0) } }

    /// `spec` is the sealed memfd with what the launch encodes to.
    init?(_ launch: KeeperLink.Launch, spec: Int32, length: Int) {
        descriptors = [spec]
        let extras = launch.extraDescriptors.sorted { $0.number < $1.number }
        guard extras.count <= Int(KEEPER_EXTRA_MAX), launch.heldReadEnds.count <= 2 else { return nil }
        spawn.version = UInt8(KEEPER_PROTOCOL_VERSION)
        spawn.type = UInt8(KEEPER_SPAWN)
        spawn.launch = launch.identifier
        spawn.spec_length = UInt32(length)
        add(KEEPER_FD_STDIN, launch.standardInput)
        add(KEEPER_FD_STDOUT, launch.standardOutput)
        add(KEEPER_FD_STDERR, launch.standardError)
        add(KEEPER_FD_CGROUP, launch.controlGroup)
        add(KEEPER_FD_HELD1, launch.heldReadEnds.first)
        add(KEEPER_FD_HELD2, launch.heldReadEnds.dropFirst().first)
        spawn.extra_count = UInt32(extras.count)
        for (index, extra) in extras.enumerated() {
            guard extra.number > 2, extra.number <= KEEPER_NUMBER_MAX else { return nil }
            unsafe withUnsafeMutableBytes(of: &spawn.extra_numbers) { unsafe $0[index] = UInt8(extra.number) }
            descriptors.append(extra.descriptor)
        }
    }

    private mutating func add(_ bit: UInt32, _ descriptor: Int32?) {
        guard let descriptor else { return }
        spawn.fds |= bit
        descriptors.append(descriptor)
    }
}

/// Room for one message of the keeper: the two structs begin alike.
struct KeeperBuffer {
    var event = keeper_event()
    private var parcels: [DescriptorParcel] = []
    /// It came without its descriptors: this process has no room for them.
    private(set) var isCut = false

    var version: Int32 { Int32(event.version) }
    var type: Int32 { Int32(event.type) }

    /// Bytes, 0 at the end, or `-errno`. What came along is owned by the buffer.
    mutating func receive(from socket: Int32) -> Int64 {
        var numbers: (Int32, Int32, Int32, Int32) = (-1, -1, -1, -1)
        var count: Int32 = 4
        let length = unsafe withUnsafeMutableBytes(of: &event) { bytes in
            unsafe withUnsafeMutableBytes(of: &numbers) { numbers in
                unsafe corch_receive(
                    socket, bytes.baseAddress, bytes.count, numbers.assumingMemoryBound(to: Int32.self).baseAddress,
                    &count, Int32(MSG_DONTWAIT))
            }
        }
        let all = [numbers.0, numbers.1, numbers.2, numbers.3]
        isCut = count < 0
        parcels = all.prefix(max(0, Int(count))).map { DescriptorParcel($0) }
        return length
    }

    func message(length: Int) -> KeeperMessage? {
        if type == KEEPER_STATE_END, length == MemoryLayout<keeper_hand_over>.size {
            return KeeperMessage(handOver)
        }
        guard length == MemoryLayout<keeper_event>.size else { return nil }
        return KeeperMessage(event, parcels)
    }

    private var handOver: keeper_hand_over {
        unsafe withUnsafeBytes(of: event) { unsafe $0.load(as: keeper_hand_over.self) }
    }
}
