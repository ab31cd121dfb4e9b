// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import Testing

@testable import OrchCLI

@Suite struct ExportCommandTests {
    private func platform() -> ScriptedPlatform {
        let platform = ScriptedPlatform()
        platform.files["/home/ada/shop/orch.yaml"] = """
            services:
              web: { command: [/bin/web, "$5"], watch: [.] }
              job: { kind: task, command: [/bin/job] }
            """
        return platform
    }

    @Test func filesGoToOutputAndWhatIsLostToErrors() {
        let platform = platform()
        #expect(run("export systemd", on: platform) == .success, "\(platform.errors)")
        for name in ["shop.target", "shop-web.service", "shop-job.service"] {
            #expect(platform.output.contains("# ---- \(name)\n"))
        }
        #expect(platform.output.contains("ExecStart=/bin/web $$5\n"))
        #expect(platform.output.contains("# orch.yaml:2: \"watch\" of web is not carried over"), "\(platform.output)")
        #expect(
            platform.errors.contains("orch.yaml:2:37: warning[not-exported]: \"watch\" of web"), "\(platform.errors)")
        #expect(
            platform.errors.hasSuffix("orch: 2 services, 3 files; 1 not carried over\n")
                || platform.errors.hasSuffix("orch: 2 services; 3 files; 1 not carried over\n"), "\(platform.errors)")
    }

    @Test func aFolderGetsThemAsFiles() {
        let platform = platform()
        #expect(run("export nomad --to jobs", on: platform) == .success, "\(platform.errors)")
        #expect(platform.output == "jobs/shop-job.nomad.hcl\njobs/shop-web.nomad.hcl\n")
        #expect(platform.files["jobs/shop-web.nomad.hcl"]?.contains("job \"shop-web\"") == true)
        platform.forgetOutput()
        #expect(run("export nomad --to jobs", on: platform) == .failed)
        #expect(platform.errors.contains("there is such a file") && platform.errors.contains("--force writes over it"))
        #expect(run("export nomad --to jobs --force", on: platform) == .success)
    }

    @Test func whatIsWrongWithTheManifestIsTold() {
        let platform = platform()
        platform.files["/home/ada/shop/orch.yaml"] = "services: { a: { comand: x }, b: { command: [b], nice: 99 } }"
        #expect(run("export compose", on: platform) == .manifest)
        #expect(
            platform.output == "" && platform.errors.contains("did you mean \"command\"")
                && platform.errors.contains("nice"))
    }

    @Test func wrongUseIsUsage() {
        let platform = platform()
        #expect(run("export", on: platform) == .usage)
        #expect(run("export kubernets", on: platform) == .usage)
        #expect(platform.errors.contains("did you mean \"kubernetes\"?"))
        #expect(run("export compose --force", on: platform) == .usage)
    }
}
