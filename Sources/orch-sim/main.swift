// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchSimulator

/// `orch-sim SEEDS [--from N] [--first]` plays so many lives, with `--first` until one breaks a rule; `orch-sim --seed N` plays one and prints its score.
struct Program {
    private var count: UInt64 = 0
    private var first: UInt64 = 1
    private var seed: UInt64?
    private var showsDigests = false
    private var endsAtFirst = false

    init?(_ words: [String]) {
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--seed":
                guard let number = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
                seed = number
            case "--from":
                guard let number = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
                first = number
            case "--digests": showsDigests = true
            case "--first": endsAtFirst = true
            default:
                guard let number = UInt64(word), number > 0, count == 0 else { return nil }
                count = number
            }
        }
        guard (count > 0) != (seed != nil) else { return nil }
    }

    /// Whether a rule was broken.
    func run() -> Bool {
        if let seed { return show(seed) }
        let start = ContinuousClock.now
        var turns = 0
        var daemons = 0
        var lived = Duration.zero
        var broken: [UInt64] = []
        for seed in first..<(first + count) {
            let report = Scenario(seed: seed).run()
            turns += report.turns
            daemons += report.daemons
            lived += report.lived
            if showsDigests { print("\(seed) \(String(report.digest, radix: 16))") }
            guard let violation = report.violations.first else { continue }
            broken.append(seed)
            if broken.count <= 20 { print("seed \(seed): \(violation)") }
            if endsAtFirst { return true }
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        let pace = seconds > 0 ? Int(Double(turns) / seconds) : 0
        print(
            "\(count) lives, \(turns) turns of \(daemons) daemons, \(Int(lived.components.seconds)) s of virtual time, \(pace) turns/s, \(broken.count) broken"
        )
        return !broken.isEmpty
    }

    /// Prints the score of a life; of the smallest that breaks the same rule if it breaks one.
    private func show(_ seed: UInt64) -> Bool {
        let scenario = Scenario(seed: seed)
        var report = scenario.run(keepsScore: true)
        if !report.violations.isEmpty {
            let small = scenario.shrunk()
            report = small.run(keepsScore: true)
            print("shrunk from \(scenario.acts.count) acts and \(scenario.quirks.count) odd launches")
            for line in small.text { print(line) }
            print("")
        }
        for line in report.score { print(line) }
        for violation in report.violations { print("VIOLATION \(violation)") }
        let digest = String(report.digest, radix: 16)
        print(
            "seed \(seed): \(report.turns) turns of \(report.daemons) daemons, \(report.lived.brief) of virtual time, digest \(digest)"
        )
        return !report.violations.isEmpty
    }
}

let words = Array(Swift.CommandLine.arguments.dropFirst())
if words.first == "--cost" {
    exit(Cost.run(words.dropFirst()) ? 0 : 64)
} else if let program = Program(words) {
    exit(program.run() ? 1 : 0)
} else {
    print(
        "usage: orch-sim SEEDS [--from N] [--first] [--digests] | orch-sim --seed N | orch-sim --cost SHAPE SERVICES EVENTS"
    )
    exit(64)
}
