// SPDX-License-Identifier: Apache-2.0

import OrchSimulator
import Testing

/// Whole daemons on a machine in memory: sessions, journal and recovery included.
@Suite struct ScenarioTests {
    /// Two halves, so that they can be played side by side.
    @Test(arguments: [0, 1]) func livesBreakNoRule(half: UInt64) {
        for seed in (1 + half * 250)...(250 + half * 250) {
            let report = Scenario(seed: seed).run()
            #expect(report.violations == [], "make sim SEED=\(seed)")
            if !report.violations.isEmpty { return }
        }
    }

    @Test func theSameSeedTakesTheSameWay() {
        for seed in UInt64(1)...20 { #expect(Scenario(seed: seed).run().digest == Scenario(seed: seed).run().digest) }
    }

    @Test func aScoreChangesNothing() {
        for seed in UInt64(1)...5 {
            let told = Scenario(seed: seed).run(keepsScore: true)
            #expect(told.digest == Scenario(seed: seed).run().digest)
            #expect(!told.score.isEmpty)
        }
    }
}
