// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The one table of the language's keys.
enum Fields {
    static let conditions = [
        "started", "ready", "healthy", "completed", "succeeded", "service_started", "service_healthy",
        "service_completed_successfully",
        "process_started", "process_healthy", "process_completed", "process_completed_successfully",
        "process_log_ready",
    ]
    private static let words = FieldForm.list(.text)
    private static let variables = FieldForm.either([.map(.either([.text, .number, .boolean, .null])), words])
    private static let environment = FieldForm.either([
        .map(.either([.text, .number, .boolean, .null, .object(secretReference)])), words,
    ])
    private static let command = FieldForm.either([.text, words])
    private static let spanOrNone = FieldForm.either([.duration, .word(["none"])])
    private static let port = FieldForm.integer(1...65_535)
    private static let cpus = FieldForm.matching("^ *[0-9]+ *(- *[0-9]+ *)?(, *[0-9]+ *(- *[0-9]+ *)?)*$")
    private static let portText = FieldForm.matching(
        "^(auto|(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})(/(tcp|udp))?)$")

    static let stack = FieldTable(
        "a manifest",
        [
            Field(
                "name", .text, default: "the folder's name",
                "The stack's name: a-z, 0-9, _ and -, at most 63 characters."),
            Field("description", .text, "What the stack is, for people."),
            Field("environment", environment, "Variables of every service; null unsets."),
            Field("env_file", envFile, "Files of KEY=VALUE lines, weaker than environment."),
            Field(
                "inherit_environment", words, default: "[PATH, HOME, USER, LANG, LC_*, TZ]",
                "Names that services get from the caller's environment; * at an end stands for any rest."),
            Field("defaults", .object(service), "Merged under every service."),
            Field("stop", .object(stackStop), "How the whole stack stops."),
            Field("services", .map(.object(service)), "What runs, by name."),
            Field(
                "include", .either([.text, .object(includeEntry), .list(.either([.text, .object(includeEntry)]))]),
                "Other manifests whose services are part of this stack."),
            Field("secrets", .map(.object(secret)), "Values that only processes see, by name."),
            Field("host", .object(host), "How full the host may get before it counts as degraded."),
        ])

    static let stackStop = FieldTable(
        "the stack's stop",
        [
            Field(
                "timeout", .duration, default: "2m", "At this deadline of the whole stack every ladder skips to kill.")
        ])

    static let envFileEntry = FieldTable(
        "an env_file",
        [
            Field("path", .text, "The file, relative to the manifest."),
            Field("required", .boolean, default: "true", "False: may be missing."),
        ])
    private static let envFile = FieldForm.either([
        .text, .object(envFileEntry), .list(.either([.text, .object(envFileEntry)])),
    ])

    static let includeEntry = FieldTable(
        "an include",
        [
            Field(
                "path", .either([.text, words]),
                "The manifest, relative to this one; of several each is laid over those before it."),
            Field(
                "env_file", envFile, "Files of KEY=VALUE lines for what is included, stronger than its own env_file."),
        ])

    static let service = FieldTable(
        "a service",
        [
            Field(
                "kind", .word(["service", "task"]), default: "service",
                "A task runs to completion, a service is kept up."),
            Field("command", command, "A string goes through shell, a list is executed as it is."),
            Field("shell", words, default: "[/bin/sh, -c]", "What reads the command when it is a string."),
            Field("working_dir", .text, default: "the manifest's folder", "Where it runs."),
            Field("environment", environment, "Its variables, by name; null unsets, { secret: NAME } is a secret."),
            Field("env_file", envFile, "Files of KEY=VALUE lines, weaker than environment."),
            Field(
                "secrets", .either([words, .map(.either([.object(secretReference), .null]))]),
                "Secrets as files, by name, in the folder that ORCH_SECRETS names."),
            Field("user", .text, default: "the daemon's own user", "name or name:group."),
            Field("group_add", words, default: "[]", "Groups beside those of the user, by name or number."),
            Field("umask", .text, default: "0022", "What new files are not allowed, in octal."),
            Field("nice", .integer(-20...19), default: "the daemon's own", "Its priority: -20 comes first, 19 last."),
            Field(
                "io_class", .text, default: "the daemon's own",
                "How its reads and writes come to the disk: realtime, best-effort or idle; with a level, best-effort:6."
            ),
            Field(
                "cpu_affinity",
                .either([.list(.either([.integer(0...Limits.cpus - 1), cpus])), .integer(0...Limits.cpus - 1), cpus]),
                default: "all", "The CPUs that it may use: numbers and ranges, such as [0, 2] or 0-3."),
            Field("ulimits", .object(ulimits), "Limits of each of its processes (setrlimit(2))."),
            Field("security", .object(security), "What it and all that it starts may never do."),
            Field("resources", .object(resources), "Limits of its whole process tree."),
            Field("enabled", .boolean, default: "true", "False: stopped, unless started by hand."),
            Field(
                "profiles", words, default: "[]",
                "Enabled only with one of these given as --profile; without any, always."),
            Field("replicas", .integer(0...Limits.replicas), default: "1", "How many instances."),
            Field(
                "depends_on", .either([words, .map(.either([.object(dependency), .null]))]),
                "What must be there before it starts: services, tcp://HOST:PORT, http://URL, file:PATH."),
            Field("health", .object(health), "Startup, readiness and liveness probes."),
            Field("healthcheck", .object(healthcheck), "Docker Compose's form of a readiness probe."),
            Field("ready", .object(ready), "How it announces that it is ready."),
            Field(
                "start_timeout", spanOrNone, default: "1m",
                "A service that is not ready by then is stopped and counted as failed."),
            Field("timeout", spanOrNone, default: "none", "How long a task may take."),
            Field(
                "restart", .either([.word(policies), .object(restart)]), default: "on-failure; tasks: no",
                "Whether and when it is started again."),
            Field(
                "success_exit_codes", .list(.either([.integer(0...255), .text])), default: "[0]",
                "Exit codes and signals that are no failure."),
            Field(
                "on_exit", .map(.word(ExitActions.Action.allCases.map(\.rawValue))),
                "What its own end leads to, by exit code, signal or default; asked before restart."),
            Field(
                "essential", .boolean, default: "false",
                "When it is done or has failed, the stack stops and orch up exits with its code."),
            Field("locks", words, "Names, and paths for flock(2), that only one instance of the daemon has at a time."),
            Field("stop", .either([.object(stop), .list(.object(stopStep))]), "The ladder by which it is stopped."),
            Field(
                "stop_signal", .either([.text, .integer(1...64)]), default: "SIGTERM",
                "Short for a ladder of one signal."),
            Field("stop_grace_period", .duration, default: "10s", "How long stop_signal is given."),
            Field("reload", .object(reload), "How it takes up what has changed while it runs, for orch reload."),
            Field(
                "config_files", words, default: "[]",
                "Files whose content counts as part of its definition: a change is taken up by reload, else by a restart."
            ),
            Field("hooks", .object(hooks), "Commands around its life, told what happened."),
            Field("logging", .object(logging), "Where its output goes."),
            Field(
                "ports", .list(.either([port, portText, .object(portEntry)])),
                "Ports that must be free before it starts; given to it as PORT."),
            Field(
                "sockets", .list(.either([address, .object(socketEntry)])), default: "[]",
                "Listening sockets that are opened for it and outlive its restarts; given to it as LISTEN_FDS, from descriptor 3 on."
            ),
            Field("watch", .list(.either([.text, .object(watchRule)])), "Files whose change does something to it."),
            Field("schedule", .object(schedule), "When a task runs by itself."),
            Field("update", .object(update), "How apply replaces its instances when its definition changed."),
            Field(
                "renamed_from", .text,
                "The name it had: apply moves its instances to the new name without stopping them."),
            Field("title", .text, "Its name for people."),
            Field("description", .text, "What it is, for people."),
            Field("labels", variables, "Free words, by name."),
        ] + laterServiceFields)

    private static let laterServiceFields: [Field] = [
        .later("container", "Run by docker or podman."),
        Field(
            "tty", .boolean, default: "false",
            "A pseudo-terminal of its own, for orch attach; what it shows there is its log."),
        Field(
            "stdin", .text, default: "null",
            "What it reads: a file, or open for a pipe that orch attach writes to; null is at its end at once."),
    ]

    static let policies = RestartPolicy.Policy.allCases.map(\.rawValue)
    private static let reactions = Dependency.Reaction.allCases.map(\.rawValue)

    static let dependency = FieldTable(
        "a dependency",
        [
            Field("condition", .word(conditions), default: "ready; for tasks succeeded", "When it counts as met."),
            Field(
                "required", .boolean, default: "true",
                "False: gates only while it is there and enabled; what is no service gates until its timeout."),
            Field("timeout", spanOrNone, default: "none", "How long a start may wait for it; then failed."),
            Field("on_restart", .word(reactions), default: "ignore", "What its later restart does here."),
            Field("on_failure", .word(reactions), default: "ignore", "What its later failure does here."),
            Field("restart", .boolean, default: "false", "Docker Compose's word for on_restart: restart."),
        ])

    static let ready = FieldTable(
        "ready",
        [
            Field("notify", .boolean, default: "false", "By sd_notify: READY=1."),
            Field(
                "log", .text,
                "By a line: a POSIX extended regular expression for one line of its output, wherever that goes."),
            Field(
                "fd", .integer(ReadySpec.numbers),
                "By a newline on this descriptor, which is opened for it, as s6's notification-fd is."),
        ])

    static let reload = FieldTable(
        "reload",
        [
            Field(
                "signal", .either([.text, .integer(1...64)]),
                "Sent to the main process; nobody can tell when it is done."),
            Field("command", command, "Run in the service's surroundings; done when it has exited 0."),
            Field("shell", words, default: "the service's", "What reads the command when it is a string."),
            Field(
                "notify", .boolean, default: "false",
                "SIGHUP to the main process, which says RELOADING=1 and, when it is done, READY=1 (sd_notify)."),
            Field("timeout", .duration, default: "30s", "A reload that takes longer has failed; a command is killed."),
        ])

    static let restart = FieldTable(
        "restart",
        [
            Field("policy", .word(policies), default: "on-failure; tasks: no", "When it is started again."),
            Field("delay", .duration, default: "200ms", "Before the first retry."),
            Field("factor", .number, default: "2", "Each delay is so many times the last."),
            Field("max_delay", .duration, default: "1m", "No delay is longer."),
            Field("jitter", .either([.text, .number]), default: "10%", "Delays are varied by up to this part."),
            Field("reset_after", .duration, default: "1m", "Up for so long, failures are forgotten."),
            Field(
                "max_attempts", .either([.integer(0...1_000_000), .word(["unlimited"])]), default: "unlimited",
                "More failures than this within window is failed."),
            Field("window", .duration, default: "10m", "The time in which max_attempts counts."),
            Field("retry_after", spanOrNone, default: "none", "Once failed, try again after so long."),
        ])

    static let logging = FieldTable(
        "logging",
        [
            Field("stdout", sink, default: "a file under the state folder", "A path; null discards."),
            Field(
                "stderr", sink, default: "a file under the state folder",
                "A path; null discards; merge joins it to stdout."),
            Field(
                "format", .word(LoggingSpec.Format.allCases.map(\.rawValue)), default: "raw",
                "Bytes as written, or lines with their time."),
            Field("rotate", .object(rotate), "How files are kept small."),
            Field(
                "when_full", .word(LoggingSpec.WhenFull.allCases.map(\.rawValue)), default: "block",
                "What a full disk does."),
            Field("strip_ansi", .boolean, default: "false", "Remove terminal colours."),
            Field(
                "redact", .list(.text), default: "[]",
                "POSIX extended patterns: what they match is masked wherever log lines are shown or searched, never in the files."
            ),
            Field(
                "levels", .either([.word(["none"]), .object(levels)]), default: "none",
                "Lines at error level are copied to a file of their own; where they went before, they still go."),
            Field(
                "forward", .word(LoggingSpec.Forward.allCases.map(\.rawValue)), default: "none",
                "The machine's own log gets a copy of each line; what it can't take at once is dropped and counted, the files have it."
            ),
        ])
    private static let sink = FieldForm.either([.text, .null, .object(append)])
    static let append = FieldTable(
        "a log sink", [Field("append", .text, "A file that others may write to too; it is not rotated.")])

    static let levels = FieldTable(
        "levels",
        [
            Field(
                "from", .text,
                "How a line tells its level: json (level, severity, lvl), prefix (ERROR, [error], E0102, <3>, level=error), or a POSIX extended pattern that errors match."
            ),
            Field(
                "error_file", .text,
                "The file for errors; it rotates as the service's other files do. Not needed where levels are for forward alone."
            ),
        ])

    static let rotate = FieldTable(
        "rotate",
        [
            Field("size", .either([.size, .word(["none"])]), default: "10MB", "A file that reaches this is rotated."),
            Field("keep", .integer(0...100_000), default: "5", "Rotated files that are kept."),
            Field("every", .duration, "A file is rotated so long after its first line, at the latest."),
            Field("max_age", .duration, "A rotated file goes so long after its last line."),
            Field("total", .size, "What the log has on disk at most, all of its files together."),
            Field(
                "compress", .word(LoggingSpec.Compression.allCases.map(\.rawValue)), default: "none",
                "What becomes of rotated files; `orch logs` reads them like the others."),
        ])

    static let portEntry = FieldTable(
        "a port",
        [
            Field("name", .text, "Its name, for ORCH_PORT_NAME."),
            Field("port", .either([port, .word(["auto"])]), "The number, or auto for any free one."),
            Field("protocol", .word(PortSpec.Transport.allCases.map(\.rawValue)), default: "tcp", "tcp or udp."),
            Field("host", .text, default: "any", "The address it will listen on."),
            Field(
                "on_conflict", .word(PortSpec.OnConflict.allCases.map(\.rawValue)), default: "fail",
                "What a port in use does."),
        ])
}
