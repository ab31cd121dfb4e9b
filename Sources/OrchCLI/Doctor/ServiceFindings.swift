// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What keeps one service of a manifest from starting on this host, as the user that it runs as.
struct ServiceFindings {
    var spec: ServiceSpec
    var stack: String
    var request: ApplyRequest
    var facts: HostFacts
    var examiner: any HostExaminer
    /// Absolute.
    var state: String

    func findings() -> [Finding] {
        let person: Person?
        do throws(Fault) { person = try examiner.person(spec.user, adding: spec.process.groupAdd) } catch {
            return [finding(error, at: "user")] + files(of: nil) + ports() + sockets() + limits() + schedule()
        }
        let programs = directory(of: person) + commands(of: person)
        let rest = programs + files(of: person) + ports() + sockets() + limits() + schedule()
        return rest.isEmpty ? [fine(person)] : rest
    }

    private func fine(_ person: Person?) -> Finding {
        let search = search(as: person)
        let program: String
        if let word = words(of: spec.command).first, case .found(let file) = search.find(word) {
            program = "\(file) can be executed"
        } else {
            program = "nothing is in its way"
        }
        return Finding(.ok, spec.name, "\(program) in \(spec.workingDirectory) by \(person?.name ?? facts.user)")
    }

    // MARK: What it executes

    private func directory(of person: Person?) -> [Finding] {
        guard let obstacle = examiner.obstacle(to: .enter, of: spec.workingDirectory, as: person) else { return [] }
        let remedy =
            switch obstacle.kind {
            case .missing: "make it, or correct `working_dir`"
            case .denied, .closed: "let \(person?.name ?? facts.user) pass (chmod o+x), or correct `working_dir`"
            case .shape: "correct `working_dir`"
            case .silent: "mend what it is mounted from"
            case .other: "correct `working_dir`"
            }
        return [
            Finding(
                .error, spec.name, "cannot enter the working directory \(spec.workingDirectory): \(obstacle.reason)",
                remedy: remedy, at: position("working_dir"))
        ]
    }

    private func search(as person: Person?) -> ProgramSearch {
        ProgramSearch(spec, inherited: request.inherited, person: person, examiner: examiner)
    }

    /// The words that lead to programs: of a shell's text the shell and, where that can be told, what it begins with.
    private func words(of command: CommandLine) -> [String] {
        switch command {
        case .exec(let words): return Array(words.prefix(1))
        case .shell(let text, let shell):
            let isShell = shell.first?.hasSuffix("sh") ?? false
            return Array(shell.prefix(1))
                + (isShell ? [ProgramSearch.firstProgram(ofShell: text)].compactMap(\.self) : [])
        }
    }

    private func commands(of person: Person?) -> [Finding] {
        let search = search(as: person)
        var told: Set<String> = []
        var result: [Finding] = []
        for (key, command) in everyCommand {
            // Launch variables are filled in later.
            for word in words(of: command) where !word.contains("${") && told.insert(word).inserted {
                if let finding = finding(search.find(word), word, key, person) { result.append(finding) }
            }
        }
        return result
    }

    /// Its own, its probes' and its stop steps'.
    private var everyCommand: [(key: String, command: CommandLine)] {
        var all = [("command", spec.command)]
        for kind in ProbeKind.allCases {
            if case .command(let command) = spec.health[kind]?.action {
                all.append(("health.\(kind.rawValue)", command))
            }
        }
        for step in spec.stop.steps {
            if case .command(let command) = step.action { all.append(("stop", command)) }
        }
        return all
    }

    private func finding(_ outcome: ProgramSearch.Outcome, _ word: String, _ key: String, _ person: Person?) -> Finding?
    {
        let who = person?.name ?? facts.user
        switch outcome {
        case .found: return nil
        case .nowhere(let folders):
            return Finding(
                .error, spec.name, "cannot execute \(word): no such file (ENOENT) in \(folders.joined(separator: ":"))",
                remedy: "install it, give its full path, or set PATH in `environment`", at: position(key))
        case .refused(let file, let obstacle):
            let remedy =
                switch obstacle.kind {
                case .missing:
                    "correct `\(key)`; relative words are looked up from working_dir, which is \(spec.workingDirectory)"
                case .denied: "let \(who) execute it (chmod +x); its file system must not be mounted noexec"
                case .closed: "let \(who) pass that folder (chmod o+x), or put the program elsewhere"
                case .silent: "mend what it is mounted from"
                case .shape, .other: "correct `\(key)`"
                }
            return Finding(
                .error, spec.name, "cannot execute \(file): \(obstacle.reason)", remedy: remedy, at: position(key))
        case .noInterpreter(let file, let interpreter, let obstacle):
            return Finding(
                .error, spec.name, "cannot execute \(file): its interpreter \(interpreter): \(obstacle.reason)",
                because: "the first line of the script names it",
                remedy:
                    "install it for \(who), or correct that line; a virtual environment that was moved must be made anew",
                at: position(key))
        }
    }

    // MARK: What it writes

    /// Logs and lock files are opened by the daemon, before the service is its own user.
    private func files(of person: Person?) -> [Finding] {
        var result: [Finding] = []
        for file in logs {
            guard let obstacle = examiner.obstacle(to: .write, of: file, as: nil) else { continue }
            result.append(
                Finding(
                    .error, spec.name, "its log \(file) can't be written: \(obstacle.reason)",
                    because: "logs are written by \(facts.user), whom the daemon runs as",
                    remedy: "make the folder writable for \(facts.user), or log elsewhere", at: position("logging")))
        }
        for lock in spec.locks where lock.utf8.contains(UInt8(ascii: "/")) {
            guard let obstacle = obstacle(toLock: lock) else { continue }
            result.append(
                Finding(
                    .error, spec.name, "its lock \(lock) can't be taken: \(obstacle.reason)",
                    remedy: "make the folder writable for \(facts.user), or correct `locks`", at: position("locks")))
        }
        for secret in spec.secrets {
            guard let obstacle = examiner.obstacle(to: .read, of: secret.file, as: nil) else { continue }
            result.append(
                Finding(
                    .error, spec.name, "secret \(secret.name) can't be read from \(secret.file): \(obstacle.reason)",
                    because: "it is read by \(facts.user), whom the daemon runs as, at each start",
                    remedy: "let \(facts.user) read it, or correct `secrets`", at: position("secrets")))
        }
        return result
    }

    /// Whatever is there is only opened to be read; what is not is made.
    private func obstacle(toLock path: String) -> PathObstacle? {
        guard let obstacle = examiner.obstacle(to: .read, of: path, as: nil) else { return nil }
        switch obstacle.kind {
        case .missing: return examiner.obstacle(to: .write, of: path, as: nil)
        // A folder can be locked as well.
        case .shape: return nil
        case .denied, .closed, .silent, .other: return obstacle
        }
    }

    /// Those that the manifest names, absolute; of all replicas the first, which has the others' folder. The others are in the state folder.
    var logs: [String] {
        var paths: [String] = []
        for stream in LogStreamKind.allCases {
            let sink = LogLayout.sink(
                for: stream, spec: spec.logging, stack: stack, service: spec.name, replica: 1, state: state)
            for path in [sink.destination.path, sink.errorFile].compactMap(\.self) where !paths.contains(path) {
                // `${ORCH_…}` gets its value later.
                if !path.contains("${"), !path.hasPrefix("\(state)/") { paths.append(path) }
            }
        }
        return paths
    }

    // MARK: What it listens at

    private func ports() -> [Finding] {
        var result: [Finding] = []
        for port in spec.ports where port.port > 0 {
            if port.port < facts.lowestFreePort, !facts.mayTakeLowPorts {
                result.append(
                    Finding(
                        .warning, spec.name,
                        "port \(port.port)/\(port.transport.rawValue) is below \(facts.lowestFreePort)",
                        because: "without CAP_NET_BIND_SERVICE the kernel refuses it to \(facts.user)",
                        remedy:
                            "take a higher port, `setcap cap_net_bind_service=+ep` the program, or apply the stack as root",
                        at: position("ports")))
            }
            guard let obstacle = examiner.obstacle(to: port) else { continue }
            // What runs of it already has its ports.
            if obstacle.holder == ServiceID(stack: stack, service: spec.name) { continue }
            let mark: Finding.Mark = port.onConflict == .wait ? .warning : .error
            result.append(Finding(mark, spec.name, obstacle.fault, at: position("ports")))
        }
        return result
    }

    /// Those that it would be given.
    private func sockets() -> [Finding] {
        var result: [Finding] = []
        for socket in spec.sockets {
            if case .tcp(_, let port) = socket.listen, port < facts.lowestFreePort, !facts.mayTakeLowPorts {
                result.append(
                    Finding(
                        .error, spec.name, "\(socket.listen.text) is below port \(facts.lowestFreePort)",
                        because: "without CAP_NET_BIND_SERVICE the kernel refuses it to \(facts.user)",
                        remedy: "take a higher port, or apply the stack as root", at: position("sockets")))
                continue
            }
            // What runs of it already has its sockets.
            guard let obstacle = examiner.obstacle(to: socket.listen),
                obstacle.holder != ServiceID(stack: stack, service: spec.name)
            else { continue }
            result.append(Finding(.error, spec.name, obstacle.fault, at: position("sockets")))
        }
        return result
    }

    // MARK: What it asks of the kernel

    private func limits() -> [Finding] {
        var result: [Finding] = []
        for wanted in spec.process.ulimits {
            let name = wanted.resource.rawValue
            if wanted.resource == .nofile, let most = facts.mostDescriptors, (wanted.hard ?? .max) > most {
                result.append(
                    Finding(
                        .error, spec.name,
                        "ulimits.nofile of \(Self.text(wanted.hard)) is above fs.nr_open, which is \(most)",
                        because: "the kernel gives no process more, root's included",
                        remedy: "lower it, or `sysctl fs.nr_open=…`", at: position("ulimits")))
                continue
            }
            guard !facts.mayRaiseLimits, let own = facts.limits.first(where: { $0.resource == wanted.resource }),
                let hard = own.hard, (wanted.hard ?? .max) > hard
            else { continue }
            result.append(
                Finding(
                    .error, spec.name,
                    "ulimits.\(name) of \(Self.text(wanted.hard)) is above the daemon's own, which is \(hard)",
                    because: "only root may raise a hard limit (setrlimit(2))",
                    remedy: "lower it, or apply the stack as root", at: position("ulimits")))
        }
        return result
    }

    private static func text(_ limit: Int64?) -> String { limit.map { "\($0)" } ?? "unlimited" }

    private func schedule() -> [Finding] {
        guard let schedule = spec.schedule, !facts.hasTimeZones, schedule.timeZone != ScheduleSpec.hostZone,
            !["UTC", "Etc/UTC", "GMT"].contains(schedule.timeZone)
        else { return [] }
        return [
            Finding(
                .error, spec.name, "its schedule is in \(schedule.timeZone), and this host has no time zones",
                because: "/usr/share/zoneinfo is not there", remedy: "install tzdata", at: position("schedule"))
        ]
    }

    // MARK: -

    private func finding(_ fault: Fault, at key: String) -> Finding {
        Finding(.error, spec.name, fault, at: position(key))
    }

    /// Where the key stands, else the service.
    private func position(_ key: String) -> Position? { request.positions.nearest(to: "\(spec.name).\(key)") }
}
