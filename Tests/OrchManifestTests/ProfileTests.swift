// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct ProfileTests {
    private func fixture(_ profiles: String...) -> Fixture {
        var fixture = Fixture(
            """
            services:
              web: { command: web }
              pgadmin: { command: pgadmin, profiles: [debug, admin] }
              seed: { command: seed, profiles: ["${WHICH}"], kind: task }
              off: { command: off, profiles: [debug], enabled: false }
            """)
        fixture.overrides = [EnvironmentEntry("WHICH", "init")]
        fixture.profiles = profiles
        return fixture
    }

    private func enabled(_ fixture: Fixture) throws -> [String] {
        #expect(fixture.complaints() == [])
        return try fixture.stack().services.filter(\.enabled).map(\.name)
    }

    @Test func outsideOfItsProfilesAServiceIsNotEnabled() throws {
        #expect(try enabled(fixture()) == ["web"])
        #expect(try enabled(fixture("debug")) == ["pgadmin", "web"])
        #expect(try enabled(fixture("admin", "init")) == ["pgadmin", "seed", "web"])
        #expect(try enabled(fixture("*")) == ["pgadmin", "seed", "web"])
    }

    @Test func itSaysWhatWouldEnableIt() throws {
        let outside = try #require(try fixture().stack()["pgadmin"])
        #expect(outside.disabledBecause == "outside of its profiles admin, debug; --profile admin enables it")
        let off = try #require(try fixture("debug").stack()["off"])
        #expect(off.disabledBecause == "disabled in the manifest")
        #expect(
            ServiceSpec.changes(from: outside, to: try #require(try fixture("debug").stack()["pgadmin"]))
                .allSatisfy { $0.fate == .live })
    }

    @Test func theResolvedManifestKeepsIt() throws {
        for profiles in [[], ["debug"]] {
            var fixture = fixture()
            fixture.profiles = profiles
            let request = try fixture.request()
            #expect(try Fixture(ManifestWriter.yaml(request)).stack() == request.stack)
        }
    }

    @Test func mistakesAreTold() {
        #expect(
            fixture("debgu").complaints() == ["- warning[no-effect] --profile debgu: no service is in it"])
        #expect(
            Fixture("services: { a: { command: a, profiles: [\"a b\", \"\", [x]] }, b: { command: b, profiles: x } }")
                .complaints() == [
                    "1:41 error[name] \"a b\" can't name a profile", "1:48 error[name] \"\" can't name a profile",
                    "1:52 error[type] \"profiles\" must be text, not a list",
                    "1:87 error[type] \"profiles\" must be a list of profiles, not \"x\"",
                ])
        #expect(
            Fixture("services: { a: { command: a, depends_on: [b] }, b: { command: b, profiles: [x] } }").complaints()
                == [
                    "1:43 warning[disabled-dependency] \"b\" is outside of its profile x, so \"a\" will wait until it is started by hand"
                ])
    }
}
