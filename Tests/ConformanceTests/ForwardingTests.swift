// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// Lines of real services in the machine's own log.
@Suite(.serialized) struct ForwardingTests {
    @Test func aServiceIsHeardByJournaldThroughDaemonsThatDie() throws {
        let place = try Workplace()
        func manifest(_ count: Int) -> String {
            """
            name: shop
            services:
              web:
                command: 'i=0; while [ $i -lt \(count) ]; do i=$((i+1)); echo "<4>line $i"; done; exec sleep 1000'
                logging: { stdout: web.log, levels: { from: prefix }, forward: journald }
            """
        }
        try place.write(manifest(5))
        #expect(try place.orch("apply").status == 0)
        let path = place.home + "/journal"
        try place.eventually("nobody listens, and that is said") {
            let told = try place.orch("daemon", "status").output
            return told.contains("journald does not get all lines: cannot connect to \(path)")
        }
        #expect(contents(place.folder + "/web.log").hasSuffix("<4>line 5\n"), "the file has all")
        let socket = try DatagramListener(path)
        let daemon = try #require(try JSON.parse(place.orch("daemon", "status", "--json").output)["pid"]?.int)
        #expect(try place.shell("kill -9 \(daemon)").status == 0)
        try place.write(manifest(6))
        #expect(try place.orch("apply").status == 0)
        let pid = try #require(try place.pid("web"))
        // The first lines may be there before the process is known.
        try place.eventually("the new launch is heard") {
            socket.hear()
            return socket.messages.contains { $0.contains("MESSAGE=<4>line 6\n") }
        }
        let last = socket.messages.last { $0.contains("MESSAGE=<4>line 6\n") } ?? ""
        let fields = last.split(separator: "\n")
        for field in ["PRIORITY=4", "SYSLOG_IDENTIFIER=shop.web", "ORCH_STACK=shop", "ORCH_SERVICE=web"] {
            #expect(fields.contains(Substring(field)), "\(field) is missing in \(last)")
        }
        let named = fields.filter { $0.hasPrefix("OBJECT_PID=") }
        #expect(named.isEmpty || named == ["OBJECT_PID=\(pid)"])
        #expect(try place.end() == "")
    }
}

/// As journald has it.
private final class DatagramListener {
    private let descriptor: Int32
    private(set) var messages: [String] = []

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, bound == 0 else { throw Broken("cannot bind \(path): \(errno)") }
    }

    deinit { close(descriptor) }

    func hear() {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return }
            messages.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }
}
