// SPDX-License-Identifier: Apache-2.0
import Foundation
import OrchModel
import Testing

@testable import OrchManifest

/// Manifests, and the files of other tools that are made of them. Each manifest in `Exported` has its results beside it as approved text;
/// with ORCH_WRITE_DOCS=1 they are written anew.
@Suite struct ExportTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Exported")

    static func request(_ yaml: String) throws -> ApplyRequest {
        var fixture = Fixture(yaml)
        fixture.caller = [EnvironmentEntry("HOME", "/home/me")]
        return try fixture.request()
    }

    static func shop() throws -> ApplyRequest {
        try request(String(contentsOf: folder.appending(path: "shop.yaml"), encoding: .utf8))
    }

    // MARK: Fates

    @Test(arguments: ExportFormat.allCases) func everyKeyHasAFate(_ format: ExportFormat) {
        let keys = Fields.keys
        #expect(keys.count > 150)
        for key in keys where ExportFates.fate(of: key, in: format) == nil {
            Issue.record("nobody has said what becomes of \(key) in \(format.title): ExportFates+\(format.title).swift")
        }
        let owners = Set(keys.map { String($0.prefix { $0 != "." }) })
        for (row, fate) in ExportFates.table(of: format) {
            if row.hasSuffix(".*") {
                #expect(owners.contains(String(row.dropLast(2))), "\(row): there is no such map")
                #expect(
                    fate == .whole, "\(row): what is said of all keys at once is that they go the way of the one above")
            } else {
                #expect(keys.contains(row), "\(row) is no key")
            }
        }
    }

    /// Whatever is lost or differs by the table is told where it is given, with its place.
    @Test(arguments: ExportFormat.allCases) func whatIsLostIsToldWithItsPlace(_ format: ExportFormat) throws {
        let exported = ManifestExport.stack(try Self.shop(), as: format)
        for path in ["watch", "locks", "essential", "update", "hooks.on_failed", "resources.files"] {
            let key = path.split(separator: ".").map(String.init)
            let row = key.count == 1 ? "service.\(path)" : "\(key[0]).\(key[1])"
            guard case .lost = ExportFates.fate(of: row, in: format) else { continue }
            #expect(exported.notes.contains { $0.message.hasPrefix("\"\(path)\" of ") }, "\(path)")
        }
        for note in exported.notes where note.message.contains("\" of ") {
            #expect(note.position?.file == "orch.yaml", "\(note.message)")
            // A comment may be broken anywhere between two words.
            let words = exported.text.split(whereSeparator: { " \n#".contains($0) }).joined(separator: " ")
            let message = note.message.split(whereSeparator: { " #".contains($0) }).joined(separator: " ")
            #expect(words.contains(message), "\(note.message)")
        }
    }

    @Test(arguments: ExportFormat.allCases) func whatIsMadeIsApproved(_ format: ExportFormat) throws {
        let exported = ManifestExport.stack(try Self.shop(), as: format)
        try hold(exported.text, "shop.\(format.rawValue)")
        let notes = exported.notes.map { DiagnosticText.render($0, color: false) }.joined()
        try hold(notes, "shop.\(format.rawValue).notes")
        #expect(ManifestExport.stack(try Self.shop(), as: format) == exported)
    }

    @Test(arguments: ExportFormat.allCases) func aStackWithoutServicesIsAFileToo(_ format: ExportFormat) throws {
        let exported = ManifestExport.stack(try Self.request("services: {}"), as: format)
        #expect(exported.files.count == 1 && exported.services == 0 && exported.text.hasSuffix("\n"))
    }

    private func hold(_ made: String, _ name: String) throws {
        let file = Self.folder.appending(path: name)
        if ProcessInfo.processInfo.environment["ORCH_WRITE_DOCS"] != nil { try Data(made.utf8).write(to: file) }
        #expect(try String(contentsOf: file, encoding: .utf8) == made, "\(name) is not what it was")
    }

    // MARK: There and back

    /// What is exported and imported again.
    static func back(_ request: ApplyRequest, _ format: ExportFormat, _ tool: ImportFormat) throws -> Stack {
        let exported = ManifestExport.stack(request, as: format)
        let files = exported.files.map { ImportInput.File(name: $0.name, bytes: Array($0.text.utf8)) }
        let imported = try ManifestImport.manifest(
            from: ImportInput(format: tool, files: files, folder: "/srv/shop")
        ).get()
        var fixture = Fixture(imported.text)
        fixture.caller = []
        do { return try fixture.stack() } catch {
            Issue.record("\(fixture.rendered())\n\(imported.text)")
            throw error
        }
    }

    /// Texts that mean something to somebody.
    private static func texts(_ seed: UInt64) -> [String] {
        var random = SplitMix(seed: seed)
        let pieces = [
            "a", "B7", " ", "  ", "'", "\"", "\\", "$", "$$", "${X}", "$X", "%", "%%", "%i", "$(x)", "`y`", ";", "&",
            "|", "#", "{", "}", "[",
            "]", ":", ": ", ",", "-", "*", "?", "~", "!", "@", "=", "é", "\t", "\n", "\\n", "\\x41", "no", "1", "0x1F",
            "=", "^", "€", "\u{7F}",
        ]
        return (0..<8).map { _ in
            (0..<Int(random.next() % 7)).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined()
        }
    }

    private static func service(_ texts: [String], isShell: Bool) -> ServiceSpec {
        let words = texts.map { LaunchTemplate.literal($0) }
        let script = texts.joined(separator: " ")
        var spec = ServiceSpec(
            name: "web",
            command: isShell
                ? .shell("echo \(script)", shell: CommandLine.standardShell) : .exec(["/bin/echo"] + words),
            workingDirectory: "/srv/shop")
        for (index, text) in words.enumerated() where !texts[index].contains("\u{0}") {
            spec.environment.append(EnvironmentEntry("V\(index)", text))
        }
        return spec
    }

    private static func isSame(_ made: ServiceSpec?, _ spec: ServiceSpec) -> Bool {
        guard let made else { return false }
        func words(_ spec: ServiceSpec) -> [String] {
            switch spec.command {
            case .shell: spec.command.arguments
            case .exec(let words): words.map { LaunchTemplate.resolve($0, with: [:]) }
            }
        }
        func variables(_ spec: ServiceSpec) -> [String: String] {
            Dictionary(spec.environment.map { ($0.name, LaunchTemplate.resolve($0.text, with: [:])) }) { first, _ in
                first
            }
        }
        return words(made) == words(spec) && variables(made) == variables(spec)
    }

    @Test(arguments: [(ExportFormat.systemd, ImportFormat.systemd, "shop-web"), (.compose, .compose, "web")])
    func anyTextComesBackAsItWas(_ format: ExportFormat, _ tool: ImportFormat, _ name: String) throws {
        for seed in 0..<60 as Range<UInt64> {
            for isShell in [true, false] {
                let spec = Self.service(Self.texts(seed), isShell: isShell)
                let request = ApplyRequest(
                    stack: Stack(name: "shop", services: [spec]), manifestPath: "/srv/shop/orch.yaml")
                let made = try Self.back(request, format, tool).service(name)
                #expect(
                    Self.isSame(made, spec),
                    "\(seed): \(spec.value)\n\(made.map { "\($0.value)" } ?? "nothing")\n\(ManifestExport.stack(request, as: format).text)"
                )
            }
        }
    }

    /// What units can say comes back as the same definition.
    @Test func unitsComeBack() throws {
        let request = try Self.request(
            """
            services:
              db:
                description: the database
                command: [/usr/bin/db, "--x=1"]
                user: nobody:nogroup
                group_add: [adm]
                umask: "0027"
                nice: 5
                io_class: best-effort:6
                cpu_affinity: [0, 1]
                ulimits: { nofile: 65536, core: { soft: 0, hard: 1024 } }
                security: { no_new_privileges: true, capabilities: [CAP_NET_BIND_SERVICE] }
                stop_signal: SIGINT
                stop_grace_period: 30s
                start_timeout: 20s
                restart: { policy: always, delay: 5s, factor: 1, max_attempts: 4, window: 5m }
                on_exit: { 3: restart, 4: stop }
                success_exit_codes: [0, 143]
                ready: { notify: true }
                reload: { signal: SIGHUP }
                resources: { memory: 512MB, cpus: 0.5, pids: 100 }
                sockets: ["tcp://127.0.0.1:8443", { name: local, listen: "/run/db.sock" }]
                logging: { stdout: null, stderr: null }
              task:
                kind: task
                command: [/usr/bin/task]
                depends_on: { db: { on_restart: restart } }
                timeout: 5m
                restart: no
                stop_grace_period: 90s
                schedule: { cron: "*/15 2 1 * *", timezone: UTC, jitter: 5m, missed: run-once }
            """)
        let stack = try Self.back(request, .systemd, .systemd)
        for spec in request.stack.services {
            guard let found = stack.service("shop-\(spec.name)") else {
                Issue.record("\(spec.name) is gone")
                continue
            }
            func text(_ spec: ServiceSpec) -> String { "\(spec.definition())".replacing("shop-db", with: "db") }
            #expect(text(found) == text(spec))
        }
    }

    // MARK: Pieces

    @Test func everyLineOfCronIsAnEvent() throws {
        let events = [
            "30 2 * * *": ["*-*-* 02:30:00"], "*/15 * * * *": ["*-*-* *:00/15:00"],
            "0 9-17 * * mon-fri": ["Mon,Tue,Wed,Thu,Fri *-*-* 09..17:00:00"], "@monthly": ["*-*-01 00:00:00"],
            "0 0 1,15 * sun": ["*-*-01,15 00:00:00", "Sun *-*-* 00:00:00"],
            "5,10 1 * 6-8 *": ["*-06..08-* 01:05,10:00"], "0 0 */10 * *": ["*-*-01/10 00:00:00"],
        ]
        for (cron, expected) in events { #expect(CalendarText.events(try CronExpression(cron)) == expected, "\(cron)") }
        let lines = ["1m": "* * * * *", "15m": "*/15 * * * *", "6h": "0 */6 * * *", "1d": "0 0 * * *"]
        for (span, line) in lines { #expect(Duration(text: span).flatMap { CalendarText.cron(every: $0) } == line) }
        for span in ["7m", "90s", "5h", "2d"] {
            #expect(Duration(text: span).flatMap { CalendarText.cron(every: $0) } == nil)
        }
    }

    @Test func delaysThatGrowHaveSteps() {
        #expect(SystemdExport.steps(of: RestartPolicy(.always)) == 9)
        var policy = RestartPolicy(.always)
        policy.factor = 1
        #expect(SystemdExport.steps(of: policy) == 0)
        policy.factor = 10
        (policy.delay, policy.maxDelay) = (.seconds(1), .seconds(100))
        #expect(SystemdExport.steps(of: policy) == 2)
    }

    @Test func whatHCLWouldFillInIsDoubled() {
        #expect(HCLText.quoted("a${B}%{c}$d\"\\\n\u{1}") == "\"a$${B}%%{c}$d\\\"\\\\\\n\\u0001\"")
    }

    @Test func partsOfAnAddress() {
        let parts = URLParts("https://[::1]:8443/a?b")
        #expect(parts.isSecure && parts.host == "[::1]" && parts.port == 8443 && parts.path == "/a?b")
        #expect(URLParts("http://localhost").port == 80 && URLParts("http://localhost").path == "/")
    }
}
