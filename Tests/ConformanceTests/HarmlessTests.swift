// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import Testing

/// What is missing or wrong around a service is told with its place and its remedy, and nothing that runs is harmed.
@Suite(.serialized) struct HarmlessTests {
    /// The sixth line of the manifest, what is said of it, and where. As nobody: root can read everything.
    struct Flaw: CustomTestStringConvertible {
        var line: String
        var column: Int
        var says: [String]
        var testDescription: String { line }

        static let all = [
            Flaw(line: "user: no-such-user-4", column: 11, says: ["no user \"no-such-user-4\"", "help: create it"]),
            Flaw(
                line: "env_file: closed", column: 15,
                says: ["closed: permission denied (EACCES)", "help: whoever applies"]),
            Flaw(
                line: "env_file: gone", column: 15,
                says: ["gone: no such file", "help: write { path: gone, required: false }"]),
            Flaw(line: "config_files: [closed]", column: 20, says: ["closed: permission denied (EACCES)", "help: "]),
            Flaw(
                line: "environment: { A: \"${NOWHERE}\" }", column: 23,
                says: ["${NOWHERE} is not defined", "help: define it"]),
            Flaw(
                line: "environment: { A: { secret: nowhere } }", column: 33,
                says: ["no secret \"nowhere\"", "help: declare it"]),
            Flaw(line: "start_timeout: 30", column: 20, says: ["30 has no unit", "help: did you mean \"30s\"?"]),
        ]
    }

    private func write(_ place: Workplace, _ line: String) throws {
        try place.write(
            """
            name: harm
            services:
              other: { command: [sleep, "4601"] }
              web:
                command: [sleep, "4601"]
                \(line)
            """)
    }

    /// Refused as a whole: what would be changed runs on as it was.
    @Test(arguments: Flaw.all) func aFlawIsRefusedAndChangesNothing(_ flaw: Flaw) throws {
        let place = try Workplace(isNobody: geteuid() == 0)
        try write(place, "title: before")
        try place.apply()
        let before = try place.rows().mapValues { $0["pid"]?.int }
        try place.write("A=1\n", to: "closed", mode: 0)
        try write(place, flaw.line)
        for command in ["validate", "diff", "apply"] {
            let refused = try place.orch(command)
            #expect(refused.status == 3, "\(command): \(refused)")
            for part in ["orch.yaml:6:\(flaw.column): error["] + flaw.says {
                #expect(refused.errors.contains(part), "\(command): \(part): \(refused)")
            }
        }
        #expect(try place.rows().mapValues { $0["pid"]?.int } == before)
        #expect(try place.end() == "")
    }

    /// What only a start finds out: the reason and the remedy stand in apply, status and why, and others run on.
    @Test(arguments: ["directory", "port"]) func aStartThatCanNotBeIsToldAndHarmsNobody(_ what: String) throws {
        let place = try Workplace()
        try write(place, "title: before")
        try place.apply()
        let other = try place.pid("other")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(listener) }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name -> UInt16 in
                guard unsafe bind(listener, name, size) == 0, listen(listener, 1) == 0,
                    unsafe getsockname(listener, name, &size) == 0
                else { return 0 }
                return unsafe name.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    unsafe UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
        try #require(port > 0)
        try write(place, (what == "port" ? "ports: [\(port)]" : "working_dir: ./nowhere") + "\n    restart: no")
        let apply = try place.orch("apply")
        let parts =
            what == "port"
            ? ["port \(port)", "EADDRINUSE", "pid \(getpid())"]
            : ["\(place.folder)/nowhere: no such file or directory (ENOENT)", "make it, or correct `working_dir`"]
        let why = try place.orch("why", "web")
        let reason = try place.rows()["web"]?["reason"]?.string ?? ""
        #expect(apply.status == 1)
        for part in parts {
            for said in ["\(apply)", "\(why)", reason] { #expect(said.contains(part), "\(part): \(said)") }
        }
        #expect(apply.output.contains("orch.yaml:") && why.output.contains("orch.yaml:"), "\(apply)")
        #expect(try place.phase("web") == "failed")
        #expect(try place.pid("other") == other)
        try write(place, "title: mended")
        try place.apply()
        #expect(try place.phase("web") == "ready")
        #expect(try place.end() == "")
    }
}
