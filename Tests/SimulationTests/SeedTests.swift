// SPDX-License-Identifier: Apache-2.0

import OrchSimulator
import Testing

@Suite struct SeedTests {
    /// Random stacks live random lives; the oracle watches every turn, then the faults stop and all must come to rest.
    @Test func twoThousandLivesBreakNoRule() {
        for seed in UInt64(1)...2_000 {
            let report = FleetLife.run(seed: seed)
            #expect(report.violations == [], "seed \(seed)")
            if !report.violations.isEmpty { return }
        }
    }

    @Test func theSameSeedTellsTheSameStory() {
        for seed in UInt64(1)...20 { #expect(FleetLife.run(seed: seed, keepsScore: true).score == FleetLife.run(seed: seed, keepsScore: true).score) }
    }
}
