// SPDX-License-Identifier: Apache-2.0
import OrchManifest
import OrchModel
import Testing

@Suite struct LoadingTests {
    @Test func aSmallManifestGetsEveryDefault() throws {
        let request = try Fixture("services: { web: { command: ./web } }").request()
        #expect(request.stack.name == "shop")
        #expect(request.manifestPath == "/srv/shop/orch.yaml")
        let expected = ServiceSpec(
            name: "web", command: .shell("./web", shell: ["/bin/sh", "-c"]), workingDirectory: "/srv/shop")
        #expect(request.stack.services == [expected])
        #expect(request.inherited == [EnvironmentEntry("HOME", "/home/me"), EnvironmentEntry("PATH", "/usr/bin:/bin")])
        #expect(request.positions.all.map(\.path) == ["web", "web.command"])
        #expect(request.positions.position(of: "web.command") == Position(file: "orch.yaml", line: 1, column: 20))
    }

    @Test func everyKeyReachesTheModel() throws {
        let stack = try Fixture(full).stack()
        #expect(stack.name == "full")
        #expect(stack.details == "all of it")
        #expect(stack.stopTimeout == .seconds(90))
        let web = try #require(stack["web"])
        #expect(web.title == "The web")
        #expect(web.details == "serves")
        #expect(web.labels == [EnvironmentEntry("team", "a"), EnvironmentEntry("tier", "1")])
        #expect(web.command == .exec(["./server", "--port", "${PORT}"]))
        #expect(web.workingDirectory == "/srv/app")
        #expect(web.user == "www:www")
        #expect(web.replicas == 2)
        #expect(web.ready == .notify)
        #expect(web.startTimeout == .seconds(30))
        #expect(web.successExitCodes == [.code(0), .code(143), .signal(.terminate)])
        var migrate = Dependency(on: "migrate", condition: .succeeded)
        migrate.timeout = .seconds(30)
        migrate.onFailure = .stop
        var db = Dependency(on: "db", condition: .healthy)
        db.onRestart = .restart
        db.required = false
        #expect(web.dependsOn == [db, migrate])
        var policy = RestartPolicy(.always)
        policy.delay = .seconds(1)
        policy.factor = 1.5
        policy.maxDelay = .seconds(30)
        policy.jitter = 0.25
        policy.resetAfter = .seconds(120)
        policy.maxAttempts = 5
        policy.window = .seconds(300)
        policy.retryAfter = .seconds(3600)
        #expect(web.restart == policy)
        #expect(stack["migrate"]?.startTimeout == .seconds(300))
        #expect(stack["migrate"]?.restart.policy == .no)
        #expect(stack["migrate"]?.enabled == false)
    }

    @Test func probesReachTheModel() throws {
        let web = try #require(try Fixture(full).stack()["web"])
        var http = HTTPProbe(url: "http://127.0.0.1:${PORT}/health/live")
        http.method = "POST"
        http.headers = [EnvironmentEntry("X-Probe", "1")]
        http.body = "{}"
        http.status = [200...200, 300...399]
        http.bodyPattern = "^ok$"
        http.json = [
            JSONExpectation(path: "status", expected: "healthy"), JSONExpectation(path: "db.pool", expected: 3),
            JSONExpectation(path: "up", expected: true),
        ]
        var liveness = Probe(.http(http))
        liveness.initialDelay = .seconds(5)
        liveness.failureThreshold = 5
        liveness.onFailure = .signal(.init(number: 10))
        #expect(web.health.liveness == liveness)
        var readiness = Probe(.tcp("127.0.0.1:${PORT}"))
        readiness.interval = .milliseconds(500)
        #expect(web.health.readiness == readiness)
        #expect(web.health.startup == Probe(.command(.shell("test -f \"$HOME/up\"", shell: ["/bin/bash", "-ec"]))))
        var compose = Probe(.command(.exec(["pg_isready", "-q"])))
        compose.interval = .seconds(5)
        compose.timeout = .seconds(30)
        let db = try #require(try Fixture(full).stack()["db"])
        #expect(db.health.readiness == compose)
        #expect(db.startTimeout == .seconds(80))
    }

    @Test func ladderAndLogsReachTheModel() throws {
        let web = try #require(try Fixture(full).stack()["web"])
        var shutdown = HTTPProbe(url: "http://127.0.0.1:8008/shutdown")
        shutdown.method = "POST"
        #expect(
            web.stop
                == StopSpec(
                    scope: .group,
                    steps: [
                        .init(.signal(.interrupt, to: .main), wait: .seconds(5)),
                        .init(.http(shutdown), wait: .seconds(5)),
                        .init(.command(.exec(["./drain.sh"])), wait: .seconds(10)),
                        .init(.stdin("\u{3}"), wait: .seconds(5)),
                        .init(.signal(.terminate, to: .tree), wait: .seconds(5)), .init(.kill, wait: .zero),
                    ]))
        var logging = LoggingSpec()
        logging.stdout = .file("/srv/shop/logs/web.log")
        logging.stderr = .merge
        logging.format = .json
        logging.rotate.size = 10 << 20
        logging.rotate.keep = 7
        logging.rotate.every = .seconds(86_400)
        logging.rotate.maxAge = .seconds(30 * 86_400)
        logging.rotate.total = 1_000_000_000
        logging.rotate.compress = .gzip
        logging.whenFull = .drop
        logging.stripANSI = true
        logging.redact = ["token=[^ ]+", "$HOME$"]
        logging.forward = .journald
        logging.levels = LoggingSpec.Levels(from: .json, errorFile: "/srv/shop/logs/web-errors.log")
        #expect(web.logging == logging)
        var admin = PortSpec(port: 9000)
        admin.name = "admin"
        admin.transport = .udp
        admin.host = "127.0.0.1"
        admin.onConflict = .next
        #expect(web.ports == [PortSpec(port: 0), admin])
        let db = try #require(try Fixture(full).stack()["db"])
        #expect(db.stop.steps.first == .init(.signal(.init(number: 3), to: .group), wait: .seconds(60)))
        #expect(db.logging.stdout == .discard)
        #expect(db.logging.stderr == .append("/var/log/db.log"))
    }
}

let full = """
    name: full
    description: all of it
    stop: { timeout: 1m30s }
    x-anything: [1, { a: b }]
    services:
      web:
        title: The web
        description: serves
        labels: { tier: 1, team: a }
        command: [./server, --port, "${PORT}"]
        shell: [/bin/bash, -ec]
        working_dir: ../app
        user: www:www
        replicas: 2
        ready: { notify: true }
        start_timeout: 30s
        success_exit_codes: [0, 143, SIGTERM]
        depends_on:
          migrate: { condition: service_completed_successfully, timeout: 30s, on_failure: stop }
          db: { condition: process_healthy, restart: true, required: false }
        restart: { policy: always, delay: 1s, factor: 1.5, max_delay: 30s, jitter: 25%, reset_after: 2m, max_attempts: 5, window: 5m, retry_after: 1h }
        health:
          startup: { command: 'test -f "$HOME/up"' }
          readiness: { tcp: "127.0.0.1:${PORT}", interval: 500ms }
          liveness:
            http:
              port: "${PORT}"
              path: /health/live
              method: post
              headers: { X-Probe: 1 }
              body: "{}"
              expect: { status: [200, 300-399], body: ^ok$, json: { status: healthy, db.pool: 3, up: true } }
            initial_delay: 5s
            failure_threshold: 5
            on_failure: { signal: USR1 }
        stop:
          scope: group
          steps:
            - { signal: SIGINT, wait: 5s }
            - { http: { url: "http://127.0.0.1:8008/shutdown", method: POST }, wait: 5s }
            - { command: [./drain.sh] }
            - { stdin: "\\x03", wait: 5s }
            - { signal: SIGTERM, to: tree, wait: 5s }
            - { kill: tree }
        logging:
          stdout: logs/web.log
          stderr: merge
          format: json
          rotate: { size: 10MiB, keep: 7, every: 1d, max_age: 30d, total: 1GB, compress: gzip }
          when_full: drop
          strip_ansi: true
          redact: ["token=[^ ]+", "$HOME$"]
          levels: { from: json, error_file: logs/web-errors.log }
          forward: journald
        ports: [auto, { name: admin, port: 9000, protocol: udp, host: 127.0.0.1, on_conflict: next }]
      db:
        command: exec postgres -D data
        stop_signal: SIGQUIT
        stop_grace_period: 1m
        healthcheck: { test: [CMD, pg_isready, -q], interval: 5s, start_period: 20s }
        logging: { stdout: null, stderr: { append: /var/log/db.log } }
      migrate:
        kind: task
        command: ./migrate
        timeout: 5m
        enabled: false
    """
