// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// What `make fuzz` builds in .build-fuzz: the sources with coverage counters, and one program that feeds them.
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-enable-testing", "-parse-as-library", "-sanitize=fuzzer"]),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

let package = Package(
    name: "fuzz",
    targets: [
        .target(name: "OrchModel", swiftSettings: house, linkerSettings: [.linkedLibrary("m")]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1"),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "COrch", cSettings: [.define("_GNU_SOURCE")]),
        room("OrchEngine", ["OrchModel"]),
        room("OrchManifest", ["OrchModel", "CYAML"]),
        room("OrchWire", ["OrchModel"]),
        room("OrchDaemon", ["OrchModel", "OrchEngine", "OrchWire"]),
        room("OrchLinux", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "COrch", "CZlib"]),
        room("OrchStore", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "CSQLite"]),
        .executableTarget(
            name: "orch-fuzz",
            dependencies: [
                "OrchModel", "OrchManifest", "OrchWire", "OrchEngine", "OrchDaemon", "OrchLinux", "OrchStore",
            ],
            path: "Fuzz", swiftSettings: house, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ])
