// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// Includes, profiles and the explanation of an environment, as the commands have them.
@Suite struct LanguageTests {
    private func platform() -> ScriptedPlatform {
        let platform = ScriptedPlatform { command in
            switch command {
            case .diff: [.reply(.plan(ApplyCommandTests.plan))]
            case .apply: [.reply(.accepted(ApplyCommandTests.plan, text: nil))]
            case .follow: [.reply(.verdict(.reached))]
            default: []
            }
        }
        platform.environment = [EnvironmentEntry("HOME", "/home/ada")]
        platform.files["/home/ada/shop/orch.yaml"] = """
            include: more/more.yaml
            environment: { A: weak }
            services:
              web: { command: web, environment: { A: "x\\ty" } }
              tool: { command: tool, profiles: [debug] }
            """
        platform.files["/home/ada/shop/more/more.yaml"] = "services: { db: { command: db } }\n"
        return platform
    }

    private func applied(_ words: String) throws -> ApplyRequest {
        let platform = platform()
        _ = run(words, on: platform)
        for case .apply(let request) in platform.commands { return request }
        throw Failure(.failed, "nothing was applied: \(platform.errors)")
    }

    @Test func applyHandsOnWhatIsIncludedAndEnabled() throws {
        let request = try applied("apply")
        #expect(request.stack.services.map { "\($0.name) \($0.enabled)" } == ["db true", "tool false", "web true"])
        #expect(request.origin?.files == ["/home/ada/shop/more/more.yaml"])
        #expect(request.positions.position(of: "db")?.text == "more/more.yaml:1:13")
        let debugging = try applied("apply --profile debug")
        #expect(debugging.stack.service("tool")?.enabled == true)
        #expect(debugging.origin?.digest != request.origin?.digest, "another reading")
    }

    @Test func anIncludedManifestThatChangesIsReadAgain() throws {
        let origin = try #require(try applied("apply").origin)
        func isSame(_ change: (ScriptedPlatform) -> Void) -> Bool {
            let platform = platform()
            change(platform)
            return ManifestSight(platform, manifests: ["orch.yaml"], overrides: [], profiles: [])
                .isSame(as: origin, paths: ["/home/ada/shop/orch.yaml"])
        }
        #expect(isSame { _ in })
        #expect(!isSame { $0.files["/home/ada/shop/more/more.yaml"] = "services: { db: { command: db2 } }\n" })
        #expect(!isSame { $0.files["/home/ada/shop/more/more.yaml"] = nil })
    }

    @Test func mistakesOfAnIncludedManifestAreTold() {
        let platform = platform()
        platform.files["/home/ada/shop/more/more.yaml"] = "services: { db: { comand: db } }\n"
        #expect(run("diff", on: platform) == .manifest)
        #expect(platform.errors.contains("more/more.yaml:1:19: error[unknown-key]"), "\(platform.errors)")
        #expect(platform.errors.contains("did you mean \"command\"?"))
    }

    @Test func environmentsAreExplained() {
        let platform = platform()
        #expect(run("config --explain-env web", on: platform) == .success)
        #expect(
            platform.output == """
                NAME  VALUE      FROM
                A     x\\ty       environment of the service at orch.yaml:4:39
                                 hides environment of the stack at orch.yaml:2:16
                HOME  /home/ada  inherited from the caller of orch

                Each launch adds ORCH_STACK, ORCH_SERVICE, ORCH_INSTANCE, ORCH_REPLICA, ORCH_LAUNCH, ORCH_RUN and, with ports, PORT.

                """, "\(platform.output)")
        let other = self.platform()
        #expect(run("config --explain-env webb", on: other) == .usage)
        #expect(other.errors.contains("did you mean \"web\"?"))
    }
}
