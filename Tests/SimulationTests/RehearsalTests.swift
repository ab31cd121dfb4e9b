// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchSimulator
import Testing

/// Whatever a manifest says can be rehearsed, and the oracle has nothing to say of it.
@Suite struct RehearsalTests {
    private static func drawn(_ seed: UInt64) -> Rehearsal {
        let stack = Scenario(seed: seed).revisions[0]
        var rehearsal = Rehearsal(ApplyRequest(stack: stack, manifestPath: "/srv/orch.yaml"))
        rehearsal.seed = seed
        rehearsal.patience = .seconds(120)
        return rehearsal
    }

    private static let kinds: [(Mishap.Kind, isOfMachine: Bool)] = [
        (.ends(.code(3)), false), (.ends(.signal(.kill, coreDumped: false)), false), (.failsToLaunch, false),
        (.neverEnds, false), (.neverReady, false), (.failsProbes, false), (.isDeaf, false), (.leavesChildren, false),
        (.daemonDies, true), (.keeperDies, true), (.machineReboots, true), (.diskIsFull, true),
        (.timePasses(.seconds(300)), true),
    ]

    @Test func drawnStacksAreRehearsed() {
        for seed in UInt64(1)...40 {
            let score = Self.drawn(seed).play()
            #expect(score.violations == [], "seed \(seed)")
            #expect(score.refusal == nil, "seed \(seed)")
            #expect(score.acts.last?.outcome == .gone, "seed \(seed): \(String(describing: score.acts.last))")
        }
    }

    @Test func drawnMishapsAreRehearsed() {
        for seed in UInt64(1)...60 {
            var rehearsal = Self.drawn(seed)
            var dice = SplitMix(seed: seed)
            for _ in 0..<(1 + dice.below(3)) {
                let (kind, isOfMachine) = Self.kinds[dice.below(Self.kinds.count)]
                let services = rehearsal.request.stack.services
                let name = isOfMachine ? nil : services[dice.below(services.count)].name
                let times = isOfMachine ? 1 + dice.below(2) : dice.below(3) == 0 ? nil : 1 + dice.below(3)
                rehearsal.mishaps.append(Mishap(kind, of: name, times: times, phrase: "\(name ?? "") \(kind)"))
            }
            let score = rehearsal.play()
            #expect(score.violations == [], "seed \(seed): \(rehearsal.mishaps)")
            #expect(score.acts.last?.outcome == .gone, "seed \(seed): \(rehearsal.mishaps)")
            #expect(rehearsal.play() == score, "seed \(seed)")
        }
    }

    /// Spans have no gaps, and launches are counted as they were made.
    @Test func everyPartHasItsWholeStory() {
        for seed in UInt64(1)...20 {
            let score = Self.drawn(seed).play()
            for part in score.parts {
                for (span, next) in zip(part.spans, part.spans.dropFirst()) {
                    #expect(span.to == next.from, "seed \(seed) \(part.id)")
                }
                let launches = score.acts.flatMap(\.entries).count { entry in
                    if case .orch(let occurrence) = entry.content {
                        occurrence.instance == part.id && occurrence.kind == .launching
                    } else {
                        false
                    }
                }
                #expect(launches == part.launches, "seed \(seed) \(part.id)")
            }
        }
    }
}
