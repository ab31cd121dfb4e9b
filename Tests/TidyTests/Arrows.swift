// SPDX-License-Identifier: Apache-2.0

/// The table of docs/architecture.md: what each module may import. A new arrow is a new row here and a decision record.
enum Arrows {
    private static let house = [
        "OrchModel", "OrchEngine", "OrchManifest", "OrchWire", "OrchDaemon", "OrchLinux", "OrchStore", "OrchCLI",
        "OrchEdge", "OrchSimulator",
        "COrch", "CYAML", "CSQLite", "CZlib",
    ]

    static let table: [(module: String, mayImport: [String])] = [
        ("OrchModel", []),
        ("OrchEngine", ["OrchModel"]),
        ("OrchManifest", ["OrchModel", "CYAML"]),
        ("OrchWire", ["OrchModel"]),
        ("OrchDaemon", ["OrchModel", "OrchEngine", "OrchWire"]),
        (
            "OrchLinux",
            ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "COrch", "CZlib", "Glibc", "Synchronization"]
        ),
        ("OrchStore", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon", "COrch", "CSQLite", "Glibc"]),
        ("OrchCLI", ["OrchModel", "OrchWire", "OrchManifest", "ArgumentParser"]),
        ("OrchEdge", ["OrchModel", "OrchWire", "NIOCore", "NIOPosix", "NIOHTTP1", "Glibc"]),
        ("OrchSimulator", ["OrchModel", "OrchEngine", "OrchWire", "OrchDaemon"]),
        ("orch", house + ["ArgumentParser", "Glibc"]),
        ("orchd", house + ["Glibc"]),
        ("orch-edge", house + ["Glibc"]),
        ("orch-sim", house + ["Glibc"]),
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.isSwift, !file.isTest, let module = file.module else { return [] }
        guard let row = table.first(where: { $0.module == module }) else {
            return [Finding(path: file.path, line: 1, message: "\(module) is not in the table of modules")]
        }
        return file.code.enumerated().compactMap { index, line in
            guard let imported = importedModule(line), !row.mayImport.contains(imported) else { return nil }
            return Finding(path: file.path, line: index + 1, message: "\(module) must not import \(imported)")
        }
    }

    /// `Glibc` for `internal import struct Glibc.stat`; nil when the line imports nothing.
    static func importedModule(_ line: String) -> String? {
        guard line.has(["import"]) else { return nil }
        let pattern =
            /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
        return line.firstMatch(of: pattern).map { String($0.1) }
    }
}
