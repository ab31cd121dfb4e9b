// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The small language of `--if`: who, what, and how often.
struct MishapPhrase: Sendable {
    /// As it is shown: `SERVICE dies`.
    var form: String
    var meaning: String
    /// The ways to say it, without who and how often. `#` stands for an exit code, a signal or a duration.
    var words: [String]
    /// How often, when nothing is said of it; nil is every time.
    var usualTimes: Int?
    var isOfMachine = false
    /// Of what stands for `#`; nil when it is no such thing.
    var kind: @Sendable (String) -> Mishap.Kind?

    static let all: [MishapPhrase] = [
        MishapPhrase(
            form: "SERVICE dies", meaning: "it is killed once it is up; a task, at its end",
            words: ["dies", "crashes"],
            usualTimes: 1, kind: { _ in .ends(.signal(.kill, coreDumped: false)) }),
        MishapPhrase(
            form: "SERVICE exits 3", meaning: "the same with that exit code or signal (`exits SIGSEGV`)",
            words: ["exits #", "exits with #", "ends with #"], usualTimes: 1, kind: { exit($0).map { .ends($0) } }),
        MishapPhrase(
            form: "SERVICE never ready", meaning: "it runs, and its probes or its READY=1 never come",
            words: ["never ready", "is never ready", "never gets ready"], kind: { _ in .neverReady }),
        MishapPhrase(
            form: "SERVICE fails its probes", meaning: "once it is up, for a minute or until it is replaced",
            words: ["fails its probes", "is sick"], usualTimes: 1, kind: { _ in .failsProbes }),
        MishapPhrase(
            form: "SERVICE fails to launch", meaning: "its program can't be executed",
            words: ["fails to launch", "fails to start"], kind: { _ in .failsToLaunch }),
        MishapPhrase(
            form: "SERVICE is deaf", meaning: "nothing but SIGKILL ends it", words: ["is deaf", "ignores signals"],
            kind: { _ in .isDeaf }),
        MishapPhrase(
            form: "SERVICE leaves children", meaning: "when it ends, a process of its tree lives on",
            words: ["leaves children", "leaves a child"], kind: { _ in .leavesChildren }),
        MishapPhrase(
            form: "TASK never ends", meaning: "it runs for ever", words: ["never ends", "hangs"],
            kind: { _ in .neverEnds }),
        MishapPhrase(
            form: "the daemon dies", meaning: "kill -9; services run on", words: ["the daemon dies"], usualTimes: 1,
            isOfMachine: true, kind: { _ in .daemonDies }),
        MishapPhrase(
            form: "the keeper dies", meaning: "the parent of all services", words: ["the keeper dies"], usualTimes: 1,
            isOfMachine: true, kind: { _ in .keeperDies }),
        MishapPhrase(
            form: "the machine reboots", meaning: "power is cut", words: ["the machine reboots"], usualTimes: 1,
            isOfMachine: true, kind: { _ in .machineReboots }),
        MishapPhrase(
            form: "the disk is full", meaning: "for 30s nothing can be written", words: ["the disk is full"],
            usualTimes: 1, isOfMachine: true, kind: { _ in .diskIsFull }),
        MishapPhrase(
            form: "10m passes", meaning: "nothing goes wrong; schedules have their runs",
            words: ["# passes", "# pass"],
            usualTimes: 1, isOfMachine: true, kind: { Duration(text: $0).map { .timePasses($0) } }),
    ]

    private static func exit(_ text: String) -> Exit? {
        if let code = Int32(text), (0...255).contains(code) { return .code(code) }
        return Signal(text: text).map { .signal($0, coreDumped: false) }
    }

    // MARK: Reading

    /// What a person wrote, for this stack.
    static func mishap(_ text: String, in stack: Stack) throws(Failure) -> Mishap {
        var words = text.split(separator: " ").map { String($0) }
        let times = frequency(&words)
        if let times, !(1...Limits.rehearsedTimes).contains(times) {
            throw Failure(.usage, "--if '\(text)': at most \(Limits.rehearsedTimes) times, and at least once")
        }
        let isEveryTime = words.last == Self.everyTime
        if isEveryTime { words.removeLast() }
        for phrase in all where phrase.isOfMachine {
            guard let kind = phrase.kind(of: words) else { continue }
            if isEveryTime { throw Failure(.usage, "--if '\(text)': say how often: once, twice, 5 times") }
            return Mishap(
                kind, times: times ?? phrase.usualTimes, phrase: words.joined(separator: " ") + often(times))
        }
        guard let who = words.first else { throw unknown(text, near: nil) }
        let said = Array(words.dropFirst())
        for phrase in all where !phrase.isOfMachine {
            guard let kind = phrase.kind(of: said) else { continue }
            let (spec, replica) = try service(who, in: stack, of: text)
            let mishap = Mishap(
                kind, of: spec.name, replica: replica,
                times: isEveryTime ? nil : times ?? phrase.usualTimes,
                phrase: words.joined(separator: " ") + (isEveryTime ? " every time" : often(times)))
            if let objection = objection(to: mishap, spec) {
                throw Failure(.usage, "--if '\(text)': \(objection.fact)", help: objection.remedy)
            }
            return mishap
        }
        throw unknown(text, near: nearest(said.joined(separator: " "), to: words.joined(separator: " ")))
    }

    private static let everyTime = "\u{0}every time"

    /// Takes how often from the end; `everyTime` stays as the last word.
    private static func frequency(_ words: inout [String]) -> Int? {
        guard let last = words.last else { return nil }
        if let times = ["once": 1, "twice": 2, "thrice": 3][last] {
            words.removeLast()
            return times
        }
        if last == "always" {
            words[words.count - 1] = everyTime
        } else if words.suffix(2) == ["every", "time"] || words.suffix(2) == ["for", "ever"] {
            words.removeLast(2)
            words.append(everyTime)
        } else if last == "times", words.count > 1, let times = Int(words[words.count - 2]) {
            words.removeLast(2)
            return times
        }
        return nil
    }

    private static func often(_ times: Int?) -> String {
        switch times {
        case nil, 1: ""
        case 2: " twice"
        case let times?: " \(times) times"
        }
    }

    /// Nil when it says something else.
    private func kind(of said: [String]) -> Mishap.Kind? {
        for way in words {
            let expected = way.split(separator: " ").map { String($0) }
            guard expected.count == said.count else { continue }
            guard zip(expected, said).allSatisfy({ $0 == "#" || $0 == $1 }) else { continue }
            let blank = expected.firstIndex(of: "#").map { said[$0] } ?? ""
            if let kind = kind(blank) { return kind }
        }
        return nil
    }

    private static func service(
        _ name: String, in stack: Stack, of text: String
    ) throws(Failure) -> (spec: ServiceSpec, replica: Int?) {
        if let spec = stack.service(name) { return (spec, nil) }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 2, let spec = stack.service(String(parts[0])), let replica = Int(parts[1]) {
            guard (1...max(1, spec.replicas)).contains(replica) else {
                throw Failure(.usage, "--if '\(text)': \(spec.name) has \(CountText.of(spec.replicas, "replica"))")
            }
            return (spec, replica)
        }
        let names = stack.services.map(\.name)
        throw Failure(
            .usage, "--if '\(text)': the manifest has no service \"\(name)\"", help: ServiceNames.help(name, names))
    }

    // MARK: Objections

    /// Why it makes no sense for this service.
    private static func objection(to mishap: Mishap, _ spec: ServiceSpec) -> (fact: String, remedy: String?)? {
        let name = spec.name
        switch mishap.kind {
        case .neverEnds:
            guard spec.kind == .service else { return nil }
            return ("\(name) is a service and is not to end", "'\(name) is deaf' is one that can't be ended")
        case .neverReady:
            if spec.kind == .task { return ("\(name) is a task", "'\(name) never ends'") }
            guard !spec.announcesReadiness else { return nil }
            return (
                "\(name) counts as ready as soon as it is executed",
                "it has no `ready`, no startup and no readiness probe that could say otherwise"
            )
        case .failsProbes:
            guard spec.health.readiness == nil, spec.health.liveness == nil else { return nil }
            return ("\(name) has neither a readiness nor a liveness probe", "'\(name) dies' is what orch would notice")
        case .ends, .failsToLaunch, .isDeaf, .leavesChildren, .daemonDies, .keeperDies, .machineReboots, .diskIsFull,
            .timePasses:
            return nil
        }
    }

    private static func unknown(_ text: String, near: String?) -> Failure {
        var help = near.map { "did you mean \"\($0)\"? " } ?? ""
        help += "There are: " + all.map { "'\($0.form)'" }.joined(separator: ", ") + "; each may end in once, twice,"
        help += " 5 times or every time"
        return Failure(.usage, "--if '\(text)': nothing is known that could happen in these words", help: help)
    }

    private static func nearest(_ said: String, to whole: String) -> String? {
        var best: (form: String, distance: Int)?
        for phrase in all {
            for way in phrase.words {
                let plain = way.replacing("#", with: "3")
                let distance = EditDistance.between(phrase.isOfMachine ? whole : said, plain)
                guard distance <= 4, distance < best?.distance ?? .max else { continue }
                best = (phrase.isOfMachine ? plain : "SERVICE \(plain)", distance)
            }
        }
        return best?.form
    }
}

/// What to say to somebody who names a service that is not there.
enum ServiceNames {
    static func help(_ name: String, _ names: [String]) -> String {
        let near = names.min { EditDistance.between(name, $0) < EditDistance.between(name, $1) }
        if let near, EditDistance.between(name, near) <= 2 { return "did you mean \"\(near)\"?" }
        return names.isEmpty
            ? "it has no services"
            : "it has \(names.prefix(12).joined(separator: ", "))\(names.count > 12 ? ", …" : "")"
    }
}
