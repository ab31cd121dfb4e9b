// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct ScaleTests {
    /// About 260 bytes a service, each waiting for the one before.
    static func large(_ count: Int) -> String {
        var text = "defaults: { logging: { rotate: { size: 1MB } } }\nservices:\n"
        for number in 0..<count {
            text += """
                  service-\(number):
                    command: [./server, --number, "\(number)"]
                    environment: { NUMBER: \(number), HOME_OF: "${HOME}/x" }
                    restart: { policy: always, delay: 1s }
                    health: { readiness: { http: { url: "http://127.0.0.1:\(10_000 + number % 50_000)/health" }, interval: 5s } }
                    stop_grace_period: 5s

                """
            if number > 0 { text += "    depends_on: [service-\(number - 1)]\n" }
        }
        return text
    }

    @Test func tenThousandServicesLoad() throws {
        let fixture = Fixture(Self.large(10_000))
        let loaded = try fixture.load().get()
        #expect(loaded.request.stack.services.count == 10_000)
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.request.stack["service-9999"]?.dependsOn == [Dependency(on: "service-9998")])
    }

    @Test func aLoopOfTenThousandIsTold() {
        let text = Self.large(10_000) + "    # back to the start\n"
        let complaints = Fixture(
            text.replacing("service-0:\n", with: "service-0:\n    depends_on: [service-9999]\n", maxReplacements: 1)
        ).complaints()
        #expect(complaints.count == 1)
        #expect(complaints.first?.contains("error[cycle]") == true)
        #expect(complaints.first?.utf8.count ?? 0 < 300)
    }

    @Test func manyMistakesAreBounded() throws {
        let text = "services:\n" + (0..<5_000).map { "  s\($0): { comand: a }\n" }.joined()
        let complaints = Fixture(text).complaints()
        #expect(complaints.count == Limits.diagnostics + 1)
        #expect(complaints.last == "102:9 error[more] from here on 9800 more are not shown")
    }

    /// Every load of broken text ends, with a stack or with at least one located error.
    @Test(arguments: 0..<4) func mutatedManifestsNeverCrash(_ seed: Int) {
        var random = Lehmer(seed: UInt64(seed + 1))
        let originals = [Array(full.utf8), Array(Self.large(3).utf8)]
        let pieces: [[UInt8]] = [
            "${", "}", "*a", "&a ", "<<: ", "- ", ": ", "[", "]", "{", "}", "\"", "'", "\n", "  ", "\t", "!!int ", "|",
            ">", "---", "~", "\u{85}",
        ].map { Array($0.utf8) }
        for _ in 0..<250 {
            var bytes = originals[Int(random.next() % 2)]
            for _ in 0..<(1 + random.next() % 6) {
                let at = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int(random.next() % 20)))
                case 2: bytes.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))], at: at)
                default:
                    bytes.insert(
                        contentsOf: bytes[at..<min(bytes.count, at + Int(random.next() % 60))],
                        at: Int(random.next() % UInt64(bytes.count)))
                }
                if bytes.isEmpty { bytes = [10] }
            }
            var fixture = Fixture()
            fixture.files["/srv/shop/orch.yaml"] = bytes
            switch fixture.load() {
            case .success(let loaded): #expect(loaded.warnings.allSatisfy { $0.severity == .warning })
            case .failure(let errors):
                #expect(errors.diagnostics.contains { $0.severity == .error })
                for diagnostic in errors.diagnostics {
                    #expect(!DiagnosticText.render(diagnostic, color: true).isEmpty)
                }
            }
        }
    }

    @Test func randomBytesNeverCrash() {
        var random = Lehmer(seed: 7)
        for _ in 0..<300 {
            let bytes = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var fixture = Fixture("env_file: a.env\nservices: {}")
            fixture.files["/srv/shop/a.env"] = bytes.filter { $0 < 128 }
            _ = fixture.load()
            fixture.files["/srv/shop/orch.yaml"] = bytes
            #expect(!fixture.complaints().isEmpty)
        }
    }
}

/// A small generator of numbers that are the same every time.
struct Lehmer {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 8
    }
}
