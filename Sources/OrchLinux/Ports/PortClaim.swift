// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The ports of a launch, found free before it starts. Between the test and the service's own bind(2) another program can still come
/// in; then the service itself says so.
struct PortClaim {
    /// The service of ours that was given a port, listening already or not.
    var holder: (Key) -> String?
    /// The service of a process, when it is one of ours.
    var service: (Int32) -> String?

    struct Key: Hashable {
        var port: Int
        var transport: PortSpec.Transport
    }
    /// Why there is no port. `mayWait`: the manifest said to wait for it.
    struct Conflict: Error {
        var fault: Fault
        var mayWait: Bool
    }
    /// How many ports `next` tries.
    private static let attempts = 100

    /// One port for each spec, in order.
    func claim(_ specs: [PortSpec]) throws(Conflict) -> [AssignedPort] {
        var assigned: [AssignedPort] = []
        for spec in specs {
            let port = try claim(spec, beside: assigned)
            assigned.append(AssignedPort(name: spec.name, port: port, transport: spec.transport))
        }
        return assigned
    }

    private func claim(_ spec: PortSpec, beside assigned: [AssignedPort]) throws(Conflict) -> Int {
        let address = spec.host == "any" ? nil : spec.host
        let numeric = try address.map { text throws(Conflict) in try resolve(text, spec) }
        var first: Conflict?
        for step in 0..<Self.attempts {
            let wanted = spec.port == 0 ? 0 : spec.port + step
            guard wanted <= 65535 else { break }
            do {
                let port = try test(wanted, numeric, spec)
                if assigned.contains(where: { $0.port == port && $0.transport == spec.transport }) { continue }
                return port
            } catch {
                first = first ?? error
                if spec.port != 0, spec.onConflict != .next { break }
            }
        }
        throw first
            ?? Conflict(
                fault: Fault(
                    step: "use", subject: describe(spec.port, spec), reason: "no free port was found",
                    remedy: "give another port"), mayWait: false)
    }

    private func resolve(_ host: String, _ spec: PortSpec) throws(Conflict) -> String {
        if NumericAddress(host) != nil { return host }
        if host == "localhost" { return "127.0.0.1" }
        throw Conflict(
            fault: Fault(
                step: "use", subject: describe(spec.port, spec), reason: "\(host) is no address",
                remedy: "`host` is `any` or a numeric address"),
            mayWait: false)
    }

    private func test(_ port: Int, _ address: String?, _ spec: PortSpec) throws(Conflict) -> Int {
        let answer = unsafe corch_port_test(address, UInt16(port), spec.transport == .udp ? 1 : 0)
        // EACCES: below net.ipv4.ip_unprivileged_port_start. The service may have a right that this daemon has not.
        let found = answer == -EACCES ? port : Int(answer)
        if found > 0 {
            guard let other = holder(Key(port: found, transport: spec.transport)) else { return found }
            throw conflict(found, spec, "it is the port of service \(other)")
        }
        guard answer == -EADDRINUSE else { throw conflict(port, spec, Reason.text(-answer)) }
        let owner = PortOwner.find(port: port, address: address, transport: spec.transport)
        if owner?.pid.flatMap(service) == nil, let other = holder(Key(port: port, transport: spec.transport)) {
            throw conflict(port, spec, "it is the port of service \(other)")
        }
        let who = owner?.text(service: service) ?? "somebody who is not listed in /proc/net"
        throw conflict(port, spec, "address already in use (EADDRINUSE) by \(who)")
    }

    private func conflict(_ port: Int, _ spec: PortSpec, _ reason: String) -> Conflict {
        let remedy =
            spec.onConflict == .wait ? "it starts once the port is free" : "stop that process, or give another port"
        return Conflict(
            fault: Fault(step: "use", subject: describe(port, spec), reason: reason, remedy: remedy),
            mayWait: spec.onConflict == .wait)
    }

    private func describe(_ port: Int, _ spec: PortSpec) -> String {
        let what = port == 0 ? "any \(spec.transport.rawValue) port" : "port \(port)/\(spec.transport.rawValue)"
        return spec.host == "any" ? "\(what) on any address" : "\(what) on \(spec.host)"
    }
}
