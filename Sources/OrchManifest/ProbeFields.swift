// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The keys of probes and of the stop ladder.
extension Fields {
    private static let command = FieldForm.either([.text, .list(.text)])

    static let health = FieldTable(
        "health",
        [
            Field("startup", .object(probe), "Holds the other two back until it passes."),
            Field("readiness", .object(probe), "Failing: marked, and dependants wait."),
            Field("liveness", .object(probe), "Failing: restarted."),
        ])

    static let probe = FieldTable(
        "a probe",
        [
            Field("http", .object(http), "A request and what its answer must be."),
            Field("tcp", .text, "host:port that must accept a connection."),
            Field("command", command, "A command that must exit with 0."),
            Field("shell", .list(.text), default: "the service's", "What reads the command when it is a string."),
            Field(
                "log", .text,
                "A line of its output that must come in each interval: a POSIX extended regular expression, at once when one comes."
            ),
            Field("file", .text, "A file that must exist; a symbolic link counts as what it points to."),
            Field(
                "notify", .boolean, default: "false",
                "By sd_notify: READY=1; for liveness WATCHDOG=1, within interval times failure_threshold, which it is told as WATCHDOG_USEC."
            ),
            Field("initial_delay", .duration, default: "0s", "Before the first question."),
            Field("interval", .duration, default: "10s", "Between questions."),
            Field(
                "timeout", .duration, default: "1s; with log the interval",
                "How long an answer may take; with log how long a question waits for its line."),
            Field("success_threshold", .integer(1...1_000), default: "1", "Successes in a row that make it pass."),
            Field("failure_threshold", .integer(1...1_000), default: "3", "Failures in a row that make it fail."),
            Field(
                "on_failure", .either([.word(["restart", "stop", "report"]), .object(reaction)]), default: "restart",
                "What a failing liveness probe does."),
        ])

    static let reaction = FieldTable(
        "on_failure",
        [
            Field("signal", .either([.text, .integer(1...64)]), "A signal for the main process."),
            .later("command", "A command to run."),
        ])

    static let http = FieldTable(
        "http",
        [
            Field("url", .text, "The whole address."),
            Field("port", .either([.integer(1...65_535), .text]), "A port of 127.0.0.1, instead of url."),
            Field("path", .text, default: "/", "With port."),
            Field("method", .text, default: "GET", "The method."),
            Field(
                "headers", .either([.map(.either([.text, .number, .boolean])), .list(.text)]), "Header fields, by name."
            ),
            Field("body", .text, "What is sent."),
            Field("expect", .object(expect), "What the answer must be."),
            .later("tls", "Certificates."),
        ])

    private static let code = FieldForm.integer(100...599)
    private static let codes = FieldForm.matching("^[1-5][0-9]{2}(-[1-5][0-9]{2})?$")
    static let expect = FieldTable(
        "expect",
        [
            Field(
                "status", .either([code, codes, .list(.either([code, codes]))]),
                default: "[200-399]", "Status codes and ranges."),
            Field("body", .text, "A POSIX extended regular expression that one line must match."),
            Field(
                "json", .map(.either([.text, .number, .boolean, .null])),
                "Dotted paths and the scalar that must be there."),
        ])

    static let healthcheck = FieldTable(
        "healthcheck",
        [
            Field("test", command, "[CMD, word…], [CMD-SHELL, text], [NONE], or a string for the shell."),
            Field("interval", .duration, default: "30s", "Between questions."),
            Field("timeout", .duration, default: "30s", "How long an answer may take."),
            Field("retries", .integer(1...1_000), default: "3", "Failures in a row that make it fail."),
            Field(
                "start_period", .duration, default: "0s",
                "Added to start_timeout, unless that is given; nothing counts against it before the first success anyway."
            ),
            Field("disable", .boolean, default: "false", "No probe."),
            .later("start_interval", "Between questions during start_period."),
        ])

    static let stop = FieldTable(
        "stop",
        [
            Field(
                "scope", .word(StopSpec.Scope.allCases.map(\.rawValue)), default: "tree",
                "What must be gone for a step to be over."),
            Field("steps", .list(.object(stopStep)), default: "SIGTERM for 10s, then kill", "The ladder."),
        ])

    static let stopStep = FieldTable(
        "a stop step",
        [
            Field("signal", .either([.text, .integer(1...64)]), "Send this."),
            Field(
                "to", .word(StopSpec.Recipient.allCases.map(\.rawValue)),
                default: "group for a shell command, else main", "To whom, with signal."),
            Field("http", .object(http), "Make this request."),
            Field("command", command, "Run this."),
            Field("shell", .list(.text), default: "the service's", "What reads the command when it is a string."),
            Field("stdin", .text, "Write this to its standard input."),
            Field("kill", .word(["tree"]), "SIGKILL to everything of the service; always last."),
            Field("wait", .duration, default: "10s", "How long to wait before the next step."),
        ])
}
