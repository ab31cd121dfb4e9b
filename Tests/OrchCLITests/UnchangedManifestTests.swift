// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchWire
import Testing

@testable import OrchCLI

/// An apply of what is applied already needs no reading, as long as nothing has changed that the reading saw.
@Suite struct UnchangedManifestTests {
    private static let plan = Plan(stack: "shop", revision: "ab12cd34ef567890", changes: [])
    private static let manifest = """
        name: shop
        env_file: shop.env
        services:
          web: { command: ["${SHELL_OF:-sh}"], user: ada }
          db: { command: [sleep, inf] }

        """

    /// What an apply handed over, to a daemon that knows nothing.
    private func applied(_ words: String = "apply") throws -> ManifestOrigin {
        let platform = platform(nil)
        _ = run(words, on: platform)
        for case .apply(let request) in platform.commands { return try #require(request.origin) }
        throw Failure(.failed, "nothing was applied")
    }

    private func platform(_ origin: ManifestOrigin?, isStillKnown: Bool = true) -> ScriptedPlatform {
        let platform = ScriptedPlatform { command in
            switch command {
            case .recall(let manifest):
                manifest == "/home/ada/shop/orch.yaml" && origin != nil
                    ? [.reply(.recalled(origin.map { Recollection(stack: "shop", origin: $0) }))] : []
            case .applyKnown(let known):
                isStillKnown && known.reference == origin.map { .applied(stack: "shop", origin: $0.digest) }
                    ? [.reply(.accepted(Self.plan, text: nil))] : []
            case .diff: [.reply(.plan(Self.plan))]
            case .apply: [.reply(.accepted(Self.plan, text: nil))]
            case .follow: [.reply(.there(2)), .reply(.verdict(.reached))]
            default: []
            }
        }
        platform.files["/home/ada/shop/orch.yaml"] = Self.manifest
        platform.files["/home/ada/shop/shop.env"] = "A=1\n"
        return platform
    }

    private func words(_ platform: ScriptedPlatform) -> [String] { platform.commands.map(\.word) }

    @Test func whatIsTheSameIsNotSent() throws {
        let origin = try applied()
        #expect(origin.files == ["/home/ada/shop/shop.env"] && origin.variables == ["SHELL_OF"])
        #expect(origin.users == ["ada"])
        let platform = platform(origin)
        #expect(run("apply", on: platform) == .success)
        #expect(words(platform) == ["recall", "apply-known", "follow"])
        #expect(
            platform.output == """
                shop is in sync with the manifest: nothing to do.
                shop: 2 of 2 ready in 0.0s

                """)
    }

    @Test func whateverTheReadingSawMatters() throws {
        let origin = try applied()
        let changes: [(String, (ScriptedPlatform) -> Void)] = [
            ("the text", { $0.files["/home/ada/shop/orch.yaml"] = Self.manifest + "# end\n" }),
            ("an env file", { $0.files["/home/ada/shop/shop.env"] = "A=2\n" }),
            ("an env file that went", { $0.files["/home/ada/shop/shop.env"] = nil }),
            ("a variable it asks for", { $0.environment = [EnvironmentEntry("SHELL_OF", "bash")] }),
            ("a variable that services inherit", { $0.environment = [EnvironmentEntry("LC_ALL", "C")] }),
        ]
        for (what, change) in changes {
            let platform = platform(origin)
            change(platform)
            _ = run("apply", on: platform)
            #expect(!words(platform).contains("apply-known"), "\(what)")
        }
        let platform = platform(origin)
        platform.environment = [EnvironmentEntry("SHLVL", "3")]
        _ = run("apply", on: platform)
        #expect(words(platform).contains("apply-known"), "nobody asked for it")
    }

    @Test func otherWordsAreAnotherReading() throws {
        let origin = try applied()
        for words in ["apply --env A=3", "apply ./orch.yaml", "apply --adopt"] {
            let platform = platform(origin)
            #expect(run(words, on: platform) == .success)
            #expect(self.words(platform).contains("apply"), "\(words)")
        }
        #expect(try applied("apply --env A=3") != origin)
    }

    @Test func whatIsNotKnownAnyMoreIsSent() throws {
        let platform = platform(try applied(), isStillKnown: false)
        #expect(run("apply", on: platform) == .success)
        #expect(words(platform) == ["recall", "diff", "apply", "follow"])
    }

    @Test func warningsAreSaidEachTime() {
        let platform = platform(nil)
        platform.files["/home/ada/shop/orch.yaml"] =
            "services:\n  web: { command: [sh], restart: { policy: no, delay: 1s } }\n"
        _ = run("apply", on: platform)
        guard case .apply(let request)? = platform.commands.first(where: { $0.word == "apply" }) else {
            Issue.record("it is not applied: \(platform.errors)")
            return
        }
        #expect(platform.errors.contains("no-effect") && request.origin == nil)
    }
}
