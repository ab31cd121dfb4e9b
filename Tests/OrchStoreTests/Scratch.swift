// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchEngine
import OrchModel
import OrchStore

extension DiskStore {
    /// In the boot of most tests.
    convenience init(directory: String) throws(Fault) { try self.init(directory: directory, boot: "first") }
}

/// A folder of its own for one test, removed with all that is in it.
final class Scratch {
    let path: String
    init() {
        // In memory where there is such a folder: damage does not need a slow disk.
        let home = unsafe access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        var template = Array("\(home)/orch-store-XXXXXX".utf8CString)
        path = unsafe mkdtemp(&template).map { unsafe String(cString: $0) } ?? ""
    }
    deinit { if !path.isEmpty { Self.remove(path) } }

    static func names(_ path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func remove(_ path: String) {
        for name in names(path) { remove("\(path)/\(name)") }
        if unsafe unlink(path) != 0 { unsafe rmdir(path) }
    }

    static func read(_ path: String) -> [UInt8] {
        let file = unsafe open(path, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 22)
        let count = unsafe Glibc.read(file, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    static func write(_ bytes: [UInt8], to path: String) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = unsafe Glibc.write(file, bytes, bytes.count)
        close(file)
    }

    static func mode(_ path: String) -> UInt32 {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 ? facts.st_mode & 0o777 : 0
    }
}

func sampleStack(_ name: String, port: String = "80") -> AppliedStack {
    var web = ServiceSpec(name: "web", command: .exec(["serve"]), workingDirectory: "/srv")
    web.environment = [EnvironmentEntry("PORT", port)]
    let db = ServiceSpec(
        name: "db", command: .shell("exec db", shell: CommandLine.standardShell), workingDirectory: "/srv")
    var request = ApplyRequest(stack: Stack(name: name, services: [web, db]), manifestPath: "/srv/\(name).yaml")
    request.inherited = [EnvironmentEntry("PATH", "/bin")]
    request.fileLimit = .max
    request.author = "me"
    request.positions = SourcePositions([
        SourcePosition(path: "web", position: Position(file: "orch.yaml", line: 3, column: 3))
    ])
    return AppliedStack(
        request: request, revision: request.stack.digest, appliedAt: WallTime(nanoseconds: 1_700_000_000_123_456_789),
        inherited: [
            ServiceInheritance(service: "db", environment: [EnvironmentEntry("PATH", "/usr/bin")]),
            ServiceInheritance(service: "web", environment: request.inherited),
        ])
}

func sampleOccurrence(_ number: Int64, service: String = "web") -> Occurrence {
    let id = InstanceID(service: ServiceID(stack: "one", service: service))
    return Occurrence(
        time: WallTime(nanoseconds: 1_700_000_000_000_000_001 + number), stack: "one", service: service, instance: id,
        launch: LaunchID(UInt64(number)), kind: .exited, cause: "it ended", exit: .code(1))
}
