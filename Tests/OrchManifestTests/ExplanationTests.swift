// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct ExplanationTests {
    /// `NAME=text source <- hidden sources`.
    private func explained(_ service: String, _ fixture: Fixture) throws -> [String] {
        var fixture = fixture
        fixture.explains = service
        let variables = try #require(try fixture.load().get().explained)
        return variables.map { variable in
            let sources = ([variable.source] + variable.hidden).map { source in
                source.title + (source.position.map { " \($0.text)" } ?? "")
            }
            return "\(variable.name)=\(variable.text ?? "-") \(sources.joined(separator: " <- "))"
        }
    }

    @Test func everyVariableHasItsSources() throws {
        var fixture = Fixture(
            """
            env_file: stack.env
            environment: { A: stack, B: "${A}-b", GONE: x }
            defaults: { environment: { D: given } }
            include: part.yaml
            services:
              web:
                command: web
                env_file: [one.env, two.env]
                environment:
                  - A=own ${A}
                  - GIVEN
              bare: { command: bare, environment: { GONE: null, HOME: null } }
            """,
            files: [
                "/srv/shop/stack.env": "A=file\nGIVEN=weak\n", "/srv/shop/one.env": "# first\n\nX=\"a\nb\"\nY=1\n",
                "/srv/shop/two.env": "Y=2\r\nZ=3\n",
                "/srv/shop/part.yaml": "environment: { A: part }\nservices: { p: { command: p } }",
            ])
        fixture.overrides = [EnvironmentEntry("B", "forced")]
        #expect(
            try explained("web", fixture) == [
                "A=own stack environment of the service orch.yaml:10:9 <- environment of the stack orch.yaml:2:16 <- env_file of the stack stack.env:1:1",
                "B=forced --env <- environment of the stack orch.yaml:2:26",
                "D=given environment of defaults orch.yaml:3:28",
                "GIVEN=weak environment of the service orch.yaml:11:9 <- env_file of the stack stack.env:2:1",
                "GONE=x environment of the stack orch.yaml:2:39",
                "HOME=/home/me inherited from the caller of orch",
                "PATH=/usr/bin:/bin inherited from the caller of orch",
                "X=a\nb env_file of the service one.env:3:1", "Y=2 env_file of the service two.env:1:1",
                "Z=3 env_file of the service two.env:2:1",
            ])
        let bare = try explained("bare", fixture)
        #expect(
            bare.contains(
                "GONE=- environment of the service orch.yaml:12:41 <- environment of the stack orch.yaml:2:39"))
        #expect(bare.contains("HOME=- environment of the service orch.yaml:12:53 <- inherited from the caller of orch"))
        #expect(
            try explained("p", fixture).first
                == "A=part environment of the included manifest part.yaml:1:16 <- environment of the stack orch.yaml:2:16 <- env_file of the stack stack.env:1:1"
        )
        fixture.explains = "nobody"
        #expect(try fixture.load().get().explained == nil)
    }
}
