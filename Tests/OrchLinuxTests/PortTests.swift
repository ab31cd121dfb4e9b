// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

/// Ports are found free before the start, and who holds one is named.
@Suite(.serialized) struct PortTests {
    @Test func aConflictNamesItsOwner() throws {
        let bench = try Bench(session: false)
        let listener = try Listener()
        bench.launch(1, ["true"]) { $0.ports = [PortSpec(port: listener.port)] }
        let fault = try bench.failure(of: 1)
        #expect(fault.subject == "port \(listener.port)/tcp on any address")
        #expect(fault.reason.hasPrefix("address already in use (EADDRINUSE) by pid \(getpid()) ("))
        #expect(fault.reason.hasSuffix("user \(Account.nameOf(getuid()))"))
        #expect(fault.remedy == "stop that process, or give another port")
    }

    @Test func anotherAddressIsNoConflict() throws {
        let bench = try Bench(session: false)
        let listener = try Listener()
        bench.launch(1, ["true"]) {
            $0.ports = [PortSpec(port: listener.port)]
            $0.ports[0].host = "127.0.0.2"
        }
        _ = try bench.launched(1)
    }

    @Test func nextTakesTheNextOneAndWaitIsNobodysFailure() throws {
        let bench = try Bench(session: false)
        let listener = try Listener()
        bench.launch(1, ["true"]) {
            $0.ports = [PortSpec(port: listener.port)]
            $0.ports[0].onConflict = .next
        }
        let ports = try bench.event("start") { if case .launched(_, _, let ports, _) = $0 { ports } else { nil } }
        #expect((ports.first?.port ?? 0) > listener.port)
        bench.launch(2, ["true"]) {
            $0.ports = [PortSpec(port: listener.port)]
            $0.ports[0].onConflict = .wait
        }
        let isScarcity = try bench.event("failure") {
            if case .launchFailed(LaunchID(2), _, let scarce) = $0 { scarce } else { nil }
        }
        #expect(isScarcity)
    }

    @Test func aPortOfAnotherServiceOfOursIsNamed() throws {
        let bench = try Bench(session: false)
        bench.launch(1, ["sleep", "1000"]) { $0.ports = [PortSpec(port: 0)] }
        let ports = try bench.event("start") { if case .launched(_, _, let ports, _) = $0 { ports } else { nil } }
        let port = try #require(ports.first?.port)
        bench.launch(2, ["true"]) { $0.ports = [PortSpec(port: port)] }
        #expect(try bench.failure(of: 2).reason == "it is the port of service web")
    }
}
