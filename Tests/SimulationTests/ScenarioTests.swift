// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchSimulator
import Testing

/// Whole daemons on a machine in memory: sessions, journal and recovery included.
@Suite struct ScenarioTests {
    /// In parts, so that they can be played side by side.
    @Test(arguments: 0..<8 as Range<UInt64>) func livesBreakNoRule(part: UInt64) {
        for seed in (1 + part * 250)...(250 + part * 250) {
            let report = Scenario(seed: seed).run()
            #expect(report.violations == [], "make sim SEED=\(seed)")
            if !report.violations.isEmpty { return }
        }
    }

    @Test func theSameSeedTakesTheSameWayAndAScoreChangesNothing() {
        for seed in UInt64(1)...20 {
            let told = Scenario(seed: seed).run(keepsScore: true)
            #expect(told.digest == Scenario(seed: seed).run().digest)
            #expect(!told.score.isEmpty)
        }
    }

    /// A dictionary's order is another one in each process, unless hashing is held still: no trace may depend on it.
    @Test(arguments: [nil, "1"]) func theSeedAloneDecidesInEveryProcess(hashing: String?) throws {
        let lines = try output(of: ["40", "--digests"], hashing: hashing).split(separator: "\n").dropLast()
        #expect(lines.count == 40)
        for (place, line) in lines.enumerated() {
            let seed = UInt64(place + 1)
            #expect(line == "\(seed) \(String(Scenario(seed: seed).run().digest, radix: 16))")
        }
    }

    @Test func aScenarioIsMadeSmallAsLongAsItBreaksTheSameRule() {
        // Nothing is broken, so nothing is taken away.
        #expect(Scenario(seed: 1).shrunk(plays: 10) == Scenario(seed: 1))
    }

    /// What orch-sim, which is built beside the tests, prints.
    private func output(of words: [String], hashing: String?) throws -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = unsafe readlink("/proc/self/exe", &path, path.count)
        let own = String(decoding: path[..<max(0, length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = own.split(separator: "/").dropLast().joined(separator: "/")
        let setting = hashing.map { "SWIFT_DETERMINISTIC_HASHING=\($0) " } ?? "env -u SWIFT_DETERMINISTIC_HASHING "
        let command = "\(setting)'/\(folder)/orch-sim' \(words.joined(separator: " "))"
        guard let pipe = unsafe popen(command, "r") else {
            Issue.record("no shell")
            return ""
        }
        defer { unsafe pclose(pipe) }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe fread(&block, 1, block.count, pipe)
            guard count > 0 else { break }
            text += block[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }
}
