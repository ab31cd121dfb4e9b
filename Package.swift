// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The modules and arrows of docs/architecture.md. `make check` enforces them.
import PackageDescription

let house: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: house)
}

let package = Package(
    name: "orch",
    products: [
        .executable(name: "orch", targets: ["orch"]),
        .executable(name: "orchd", targets: ["orchd"]),
        .executable(name: "orch-keeper", targets: ["orch-keeper"]),
        .executable(name: "orch-edge", targets: ["orch-edge"]),
        // For tests: what makes a system call fail.
        .library(name: "fault-shim", type: .dynamic, targets: ["fault-shim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // 0 ground
        // Int64(exactly: Double) is a call into libm in release builds.
        .target(name: "OrchModel", swiftSettings: house, linkerSettings: [.linkedLibrary("m")]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "COrch",
            cSettings: [.define("_GNU_SOURCE"), .define("ORCH_FAILPOINTS", .when(configuration: .debug))]),
        // 1 meaning
        room("OrchEngine", ["OrchModel"]),
        room("OrchManifest", ["OrchModel", "CYAML"]),
        room("OrchWire", ["OrchModel"]),
        // 2 shell
        room("OrchDaemon", ["OrchModel", "OrchEngine", "OrchWire"]),
        // 3 edges
        room("OrchLinux", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "COrch", "CZlib"]),
        room("OrchStore", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "COrch", "CSQLite"]),
        // Its machine is one object that everything looks at. That no two write to it at once is watched while tests run, in debug builds;
        // in release lives are to be many.
        .target(
            name: "OrchSimulator", dependencies: ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon"],
            swiftSettings: house + [
                .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
            ]),
        room(
            "OrchEdge",
            [
                "OrchModel", "OrchWire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        room(
            "OrchCLI",
            [
                "OrchModel", "OrchManifest", "OrchWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // 4 composition
        .executableTarget(
            name: "orch", dependencies: ["OrchCLI", "OrchLinux", "OrchModel", "OrchWire", "OrchSimulator", "COrch"],
            swiftSettings: house),
        .executableTarget(
            name: "orchd",
            dependencies: ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "OrchLinux", "OrchStore", "COrch"],
            swiftSettings: house),
        .executableTarget(
            name: "orch-keeper", dependencies: ["COrch"],
            cSettings: [.define("_GNU_SOURCE"), .define("ORCH_FAILPOINTS", .when(configuration: .debug))]),
        .executableTarget(name: "orch-edge", dependencies: ["OrchEdge"], swiftSettings: house),
        .executableTarget(name: "orch-sim", dependencies: ["OrchModel", "OrchSimulator"], swiftSettings: house),
        // tests
        .executableTarget(
            name: "keeper-probe", dependencies: ["COrch"], path: "Tests/keeper-probe",
            cSettings: [.define("_GNU_SOURCE")]),
        tests("KeeperTests", ["OrchLinux", "COrch", "orch-keeper", "keeper-probe"]),
        tests("TidyTests", ["OrchManifest"]),
        tests(
            "OrchEdgeTests",
            [
                "OrchEdge", "OrchLinux", "OrchModel", "OrchEngine", "OrchWire", "orch-edge",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
            ]),
        .target(
            name: "HostContract", dependencies: ["OrchModel", "OrchEngine", "OrchDaemon"], path: "Tests/HostContract",
            swiftSettings: house),
        .executableTarget(name: "host-probe", path: "Tests/host-probe", cSettings: [.define("_GNU_SOURCE")]),
        tests(
            "OrchLinuxTests",
            [
                "OrchLinux", "OrchModel", "OrchEngine", "OrchDaemon", "COrch", "HostContract", "orch-keeper",
                "orch-edge",
                "keeper-probe", "host-probe",
            ]),
        tests("OrchModelTests", ["OrchModel"]),
        tests(
            "FuzzTests",
            ["OrchModel", "OrchManifest", "OrchWire", "OrchEngine", "OrchDaemon", "OrchLinux", "OrchStore"],
            exclude: ["Corpus"]),
        tests("LogTests", ["OrchModel", "OrchWire", "OrchLinux", "COrch", "orch-pump-probe"]),
        tests("LogReaderTests", ["OrchModel", "OrchWire"]),
        .executableTarget(
            name: "orch-pump-probe", dependencies: ["OrchModel", "OrchLinux"], path: "Tests/orch-pump-probe",
            swiftSettings: house),
        tests("OrchWireTests", ["OrchModel", "OrchWire"]),
        tests("OrchManifestTests", ["OrchManifest", "OrchModel"], exclude: ["Imported", "Refused"]),
        tests("OrchEngineTests", ["OrchModel", "OrchEngine", "OrchSimulator"]),
        tests(
            "SimulationTests",
            ["OrchModel", "OrchEngine", "OrchDaemon", "OrchSimulator", "HostContract", "orch-sim"]),
        .target(
            name: "fault-shim", path: "Tests/fault-shim", cSettings: [.define("_GNU_SOURCE")]),
        .executableTarget(name: "torture-probe", path: "Tests/torture-probe", cSettings: [.define("_GNU_SOURCE")]),
        tests(
            "ConformanceTests",
            ["OrchModel", "OrchWire", "OrchStore", "orch", "orchd", "orch-keeper", "orch-edge", "torture-probe"]),
        tests("OrchDaemonTests", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "OrchSimulator"]),
        tests("OrchStoreTests", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "OrchStore"]),
        tests("OrchCLITests", ["OrchCLI", "OrchModel", "OrchManifest", "OrchWire", "OrchSimulator"]),
    ]
)
