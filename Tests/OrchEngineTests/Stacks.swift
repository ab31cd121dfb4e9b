// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Specs as the tests write them.
func service(_ name: String, needs: [String] = [], _ adjust: (inout ServiceSpec) -> Void = { _ in }) -> ServiceSpec {
    var spec = ServiceSpec(name: name, command: .exec(["/bin/\(name)"]), workingDirectory: "/")
    spec.dependsOn = needs.map { Dependency(on: $0) }
    spec.restart.jitter = 0
    adjust(&spec)
    return spec
}

func task(_ name: String, needs: [String] = [], _ adjust: (inout ServiceSpec) -> Void = { _ in }) -> ServiceSpec {
    var spec = ServiceSpec(name: name, kind: .task, command: .exec(["/bin/\(name)"]), workingDirectory: "/")
    spec.dependsOn = needs.map { Dependency(on: $0) }
    spec.restart.jitter = 0
    adjust(&spec)
    return spec
}

func request(_ services: [ServiceSpec], name: String = "s") -> ApplyRequest {
    ApplyRequest(stack: Stack(name: name, services: services), manifestPath: "/srv/\(name)/orch.yaml")
}

func target(_ service: String? = nil, _ replica: Int? = nil) -> Target {
    Target(stack: "s", service: service, replica: replica)
}

/// A probe that is asked each second and turns at the first answer.
func probe(_ adjust: (inout Probe) -> Void = { _ in }) -> Probe {
    var probe = Probe(.tcp("localhost:1"))
    probe.interval = .seconds(1)
    probe.failureThreshold = 1
    adjust(&probe)
    return probe
}
