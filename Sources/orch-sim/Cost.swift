// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchSimulator

/// `orch-sim --cost SHAPE SERVICES EVENTS`: brings a fleet up, then lets so many services crash and come back, and does nothing beside.
/// The difference of two runs that differ in EVENTS is what an event costs; `make bench` counts it in instructions.
enum Cost {
    static func run(_ words: ArraySlice<String>) -> Bool {
        guard words.count == 3, let name = words.first, let shape = LargeFleet.Shape(rawValue: name),
            let count = words.dropFirst().first.flatMap({ Int($0) }), count > 0,
            let events = words.last.flatMap({ Int($0) }), events >= 0
        else { return false }
        var large = LargeFleet(shape, count: count)
        do { try large.start() } catch {
            print("refused: \(error.message)")
            return false
        }
        // Far apart, so that no two are neighbours in memory.
        for event in 0..<events { large.crash(event &* 7_919 % count) }
        print("\(shape.rawValue) of \(count): \(events) crashes, \(large.launchCounts.reduce(0, +)) launches")
        return large.aliveCount == count
    }
}
