// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import Testing

@testable import OrchCLI

@Suite struct ImportCommandTests {
    private func platform() -> ScriptedPlatform {
        let platform = ScriptedPlatform()
        platform.files["Procfile"] = "web: ./web -p $PORT\njob: ./job $TOKEN\n"
        platform.files["app/compose.yaml"] = """
            services:
              web: { image: web, command: ./web, environment: [TOKEN] }
              db: { image: db }
            """
        platform.files["/home/ada/shop/app/.env"] = "TOKEN=x\n"
        return platform
    }

    @Test func theManifestGoesToOutputAndWhatIsLostToErrors() {
        let platform = platform()
        #expect(run("import compose app/compose.yaml", on: platform) == .success)
        #expect(platform.output.contains("env_file: [.env]\n"), "that beside the file")
        #expect(platform.output.contains("  # line 3: \"db\" is not carried over"))
        #expect(platform.errors.contains("app/compose.yaml:3:3: warning[not-imported]: \"db\" is not carried over"))
        #expect(platform.errors.contains("help: install it here and give its command"))
        #expect(platform.errors.hasSuffix("orch: 1 service; 2 not carried over\n"), "\(platform.errors)")
        // It is a manifest.
        platform.files["/home/ada/shop/app/orch.yaml"] = platform.output
        #expect(run("validate app/orch.yaml", on: platform) == .success, "\(platform.errors)")
    }

    @Test func withoutLossesLittleIsSaid() {
        let platform = platform()
        #expect(run("import procfile Procfile", on: platform) == .success)
        #expect(platform.errors == "orch: 2 services\n")
        #expect(platform.output.contains("ports: [5000]"))
        #expect(platform.output.contains(", TOKEN]"))
    }

    @Test func whatIsWrongIsToldWithItsPlace() {
        let platform = platform()
        platform.files["-"] = "web ./web\n"
        #expect(run("import procfile -", on: platform) == .manifest)
        #expect(platform.output == "")
        #expect(platform.errors.hasPrefix("<stdin>:1:1: error[procfile]: this line is not NAME: COMMAND"))
        #expect(platform.errors.hasSuffix("orch: 1 error: nothing was imported\n"))
    }

    @Test func wrongUseIsUsage() {
        let platform = platform()
        #expect(run("import compose", on: platform) == .usage)
        #expect(run("import kubernetes x", on: platform) == .usage)
        #expect(run("import compose a b", on: platform) == .usage)
        #expect(platform.errors.contains("`orch import compose` takes one file."))
        #expect(run("import compose missing.yaml", on: platform) == .failed)
        #expect(platform.errors.contains("no such file or directory"))
    }
}
