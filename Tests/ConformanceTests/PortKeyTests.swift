// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What the manifest says of ports, seen by who listens.
@Suite(.serialized) struct PortKeyTests {
    /// A port that somebody else has, for as long as the descriptor is open.
    private func taken() throws -> (port: Int, descriptor: CInt) {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name -> Int in
                guard unsafe bind(file, name, size) == 0, listen(file, 1) == 0,
                    unsafe getsockname(file, name, &size) == 0
                else { return 0 }
                return unsafe name.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    unsafe Int(UInt16(bigEndian: $0.pointee.sin_port))
                }
            }
        }
        guard port > 0 else { throw Broken("no port: \(errno)") }
        return (port, file)
    }

    @Test func portsAreGivenAndKept() throws {
        let place = try Workplace()
        let (port, holder) = try taken()
        let (next, other) = try taken()
        close(other)
        let (late, keeper) = try taken()
        let (far, owner) = try taken()
        let says = "command: 'echo $PORT $ORCH_PORT_WEB > $ORCH_SERVICE; exec sleep 4561'"
        try place.write(
            """
            name: ports
            services:
              fixed: { \(says), ports: [{ name: web, port: \(next), host: 127.0.0.1 }] }
              auto: { \(says), ports: [{ name: web, port: auto }] }
              udp: { \(says), ports: [{ name: web, port: \(port), protocol: udp }] }
              fails: { \(says), restart: no, ports: [{ port: \(port), host: 127.0.0.1 }] }
              elsewhere: { \(says), ports: [{ name: web, port: \(far), host: 127.0.0.9 }] }
              waits: { \(says), ports: [{ name: web, port: \(late), host: 127.0.0.1, on_conflict: wait }] }
            """)
        #expect(try place.orch("apply", "--detach").status == 0)
        func said(_ name: String) -> [Substring] { lines(place, name).first?.split(separator: " ") ?? [] }
        for name in ["fixed", "auto", "udp", "elsewhere"] {
            try place.until("\(name) has its port") { said(name).count == 2 }
        }
        #expect(said("fixed") == ["\(next)", "\(next)"] && said("udp") == ["\(port)", "\(port)"])
        #expect(said("auto")[0] == said("auto")[1] && Int(said("auto")[0])! > 1_023)
        try place.eventually("it fails") { try place.phase("fails") == "failed" }
        let reason = try place.rows()["fails"]?["reason"]?.string ?? ""
        for part in ["\(port)", "tcp", "127.0.0.1", "pid \(getpid())"] { #expect(reason.contains(part), "\(reason)") }
        #expect(said("waits").isEmpty && said("fails").isEmpty)
        close(keeper)
        try place.until("then it has it") { said("waits").count == 2 }
        close(holder)
        close(owner)
        #expect(try place.end() == "")
    }
}
