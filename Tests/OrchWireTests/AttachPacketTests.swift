// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

struct AttachPacketTests {
    @Test(arguments: [
        AttachPacket.hello(LaunchID(1 << 40), TerminalSize(columns: 300, rows: 1)), .hello(LaunchID(1), nil),
        .input([0, 255]), .resized(TerminalSize(columns: 1, rows: 65_535)), .accepted(hasTerminal: true),
        .accepted(hasTerminal: false), .refused(reason: "it is", remedy: "do"),
        .begin(nil, isRaw: true, path: "/a b", offset: .max), .begin(.stderr, isRaw: false, path: "", offset: 0),
        .output(.stdout, [1, 2, 3]), .missed(nil, bytes: 70_000),
    ])
    func whatIsSaidIsUnderstood(_ packet: AttachPacket) { #expect(AttachPacket(packet.bytes) == packet) }

    /// Every beginning of a packet, and every packet with another byte in it, is a packet or none: nothing traps.
    @Test func bytesOfAnyKindDoNoHarm() {
        for packet in [
            AttachPacket.hello(LaunchID(7), nil), .begin(nil, isRaw: true, path: "/", offset: 1),
            .missed(.stdout, bytes: 1),
        ] {
            for length in 0..<packet.bytes.count { _ = AttachPacket(packet.bytes.prefix(length)) }
            for place in packet.bytes.indices {
                var bytes = packet.bytes
                bytes[place] = 0xff
                _ = AttachPacket(bytes)
            }
        }
        #expect(AttachPacket([]) == nil && AttachPacket([UInt8(ascii: "H"), 2]) == nil, "another version")
    }
}
