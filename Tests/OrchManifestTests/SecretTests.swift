// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct SecretTests {
    private static let text = """
        include: part/part.yaml
        secrets:
          db: { file: "${DIR:-private}/db" }
          api: { file: /etc/api }
        environment: { API: { secret: api } }
        services:
          web:
            command: web
            environment: { DB_PASSWORD: { secret: db }, AGAIN: { secret: db } }
            secrets: [db]
          plain: { command: plain, environment: { API: null }, secrets: { token.txt: { secret: api }, db: } }
        """
    private static let part = "secrets: { own: { file: own } }\nservices: { p: { command: p, secrets: [own, db] } }\n"

    private func fixture() -> Fixture {
        var fixture = Fixture(Self.text, files: ["/srv/shop/part/part.yaml": Self.part])
        fixture.secrets = ["/srv/shop/private/db", "/etc/api", "/srv/shop/part/own"]
        return fixture
    }

    @Test func servicesHaveSecretsAsVariablesAndFiles() throws {
        #expect(fixture().complaints() == [])
        let stack = try fixture().stack()
        var db = SecretUse("db", file: "/srv/shop/private/db", content: Fixture.content(of: "/srv/shop/private/db"))
        var api = SecretUse("api", file: "/etc/api", content: Fixture.content(of: "/etc/api"))
        var own = SecretUse("own", file: "/srv/shop/part/own", content: Fixture.content(of: "/srv/shop/part/own"))
        own.files = ["own"]
        db.files = ["db"]
        api.variables = ["API"]
        #expect(stack["p"]?.secrets == [api, db, own])
        db.variables = ["AGAIN", "DB_PASSWORD"]
        #expect(stack["web"]?.secrets == [api, db])
        #expect(stack["web"]?.environment == [])
        db.variables = []
        api.variables = []
        api.files = ["token.txt"]
        #expect(stack["plain"]?.secrets == [api, db])
        #expect(stack["plain"]?.unset == ["API"])
    }

    @Test func otherContentIsAnotherDefinition() throws {
        let before = try #require(try fixture().stack()["web"])
        var after = before
        after.secrets[1].content = Digest(of: [7])
        let changes = ServiceSpec.changes(from: before, to: after)
        #expect(changes.map(\.path) == ["secrets.db.content"] && changes.map(\.fate) == [.restart])
        #expect(before.definitionDigest != after.definitionDigest)
    }

    @Test func theResolvedManifestNamesThem() throws {
        var fixture = fixture()
        fixture.secrets = nil
        let request = try fixture.request()
        let text = ManifestWriter.yaml(request)
        #expect(
            text.contains("DB_PASSWORD: { secret: db }") || text.contains("DB_PASSWORD:\n        secret: db"), "\(text)"
        )
        #expect(try Fixture(text).stack() == request.stack, "\(text)")
    }

    @Test func theyAreExplainedByName() throws {
        var fixture = fixture()
        fixture.explains = "web"
        let explained = try #require(try fixture.load().get().explained)
        #expect(
            explained.filter { $0.secret != nil }.map { "\($0.name) \($0.secret ?? "") \($0.text ?? "-")" } == [
                "AGAIN db -", "API api -", "DB_PASSWORD db -",
            ])
    }

    @Test func mistakesAreToldWhereTheyAre() {
        func complaints(_ text: String) -> [String] {
            var fixture = Fixture(text)
            fixture.secrets = ["/srv/shop/s"]
            return fixture.complaints()
        }
        #expect(
            complaints("secrets: { a: { file: none } }\nservices: { w: { command: w, secrets: [a] } }") == [
                "1:23 error[secret] cannot read the secret /srv/shop/none: no such file or directory (ENOENT)"
            ])
        #expect(
            complaints(
                "secrets: { token: { file: s } }\nservices: { w: { command: w, secrets: [tokn], environment: { A: { secret: no } } } }"
            )
                == [
                    "1:12 warning[no-effect] no service has the secret \"token\"",
                    "2:40 error[unknown-secret] there is no secret \"tokn\"",
                    "2:75 error[unknown-secret] there is no secret \"no\"",
                ])
        #expect(
            complaints("secrets: { a/b: { file: s }, b: , c: { env: C }, d: {}, .e: { file: s } }\nservices: {}").filter
            { $0.contains("error") } == [
                "1:12 error[name] \"a/b\" can't name a secret", "1:30 error[missing] the secret \"b\" needs a file",
                "1:40 error[not-yet] \"env\" is part of the language, but this version of orch does not have it yet",
                "1:57 error[name] \".e\" can't name a secret",
            ])
        #expect(
            complaints(
                "secrets: { a: { file: s } }\nservices: { w: { command: [w, \"${A}\"], environment: { A: { secret: a }, B: \"x${A}\" } } }"
            ) == [
                "2:31 error[secret] ${A} is the secret \"a\", which can't be part of another text",
                "2:76 error[secret] ${A} is the secret \"a\", which can't be part of another text",
            ])
        #expect(
            complaints(
                "secrets: { a: { file: s } }\nservices: { w: { command: w, secrets: a, environment: { A: { x: 1 } } } }"
            )
            .filter { $0.contains("error") } == [
                "2:39 error[type] \"secrets\" must be a list or a map of secrets, not \"a\"",
                "2:60 error[type] \"A\" must be text, or { secret: NAME }, not a map",
            ])
    }
}
