// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchSimulator

/// `orch-sim SEEDS` runs lives 1...SEEDS; `orch-sim --seed N` runs one and prints its score.
let words = Array(Swift.CommandLine.arguments.dropFirst())
if words.count == 2, words[0] == "--seed", let seed = UInt64(words[1]) {
    let report = FleetLife.run(seed: seed, keepsScore: true)
    for line in report.score { print(line) }
    for violation in report.violations { print("VIOLATION \(violation)") }
    print("seed \(seed): \(report.turns) turns, \(report.lived.brief) of virtual time")
} else if words.count == 1, let count = UInt64(words[0]), count > 0 {
    var turns = 0
    var lived = Duration.zero
    var broken: [UInt64] = []
    for seed in 1...count {
        let report = FleetLife.run(seed: seed)
        turns += report.turns
        lived += report.lived
        if let first = report.violations.first {
            broken.append(seed)
            if broken.count <= 10 { print("seed \(seed): \(first)") }
        }
    }
    print("\(count) lives, \(turns) turns, \(Int(lived.components.seconds)) s of virtual time, \(broken.count) broken")
} else {
    print("usage: orch-sim SEEDS | orch-sim --seed N")
}
