// SPDX-License-Identifier: Apache-2.0

import OrchSimulator
import Testing

@Suite struct SeedTests {
    /// Random stacks live random lives; the oracle watches every turn, then the faults stop and all must come to rest.
    @Test func livesBreakNoRule() {
        for seed in UInt64(1)...300 {
            let report = FleetLife.run(seed: seed)
            #expect(report.violations == [], "seed \(seed)")
            if !report.violations.isEmpty { return }
        }
    }

    /// Seeds that once found something, with what it was.
    @Test(
        arguments: [
            (5213, "a replica of a stack scaled down as the daemon died was doubled by the next apply"),
            (5877, "a stop by hand was undone by the memory of an earlier end"),
            (7471, "a launch that failed after its place was gone was chased for ever"),
        ] as [(UInt64, String)]) func seedsWithAStory(seed: UInt64, story: String)
    {
        #expect(FleetLife.run(seed: seed).violations == [], "\(story)")
    }

    @Test func theSameSeedTellsTheSameStory() {
        for seed in UInt64(1)...5 {
            #expect(
                FleetLife.run(seed: seed, keepsScore: true).score == FleetLife.run(seed: seed, keepsScore: true).score)
        }
    }
}
