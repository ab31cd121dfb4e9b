// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// One run for each failpoint: while a fixed day of commands, ends, rotations and adoptions goes by, a program dies there. What its
/// services know of themselves is then held against pids, history and logs.
@Suite(.serialized) struct FailpointTests {
    @Test(arguments: Failpoint.allCases) func nothingIsLostWhereverItDies(point: Failpoint) throws {
        let day = try Day(Workplace(isArmed: true))
        try day.begin()
        try day.arm(point)
        try day.live(upgrades: point.isRenewals)
        try day.end(mayForget: point.isKeepers)
    }

    /// It says that it serves, and crashes with its first turn, each time: the program that served before takes over.
    @Test func aProgramThatCrashesAfterItServedIsGoneBackFrom() throws {
        let place = try Workplace(isArmed: true)
        let programs = ["orch", "orchd", "orch-keeper", "orch-edge"].map { program($0) }.joined(separator: " ")
        #expect(try place.shell("mkdir bin && cp \(programs) bin").status == 0)
        func orch(_ words: String) throws -> Workplace.Outcome { try place.shell("timeout 60 bin/orch \(words)") }
        try place.write("name: crash\nservices:\n  a: { command: [sleep, '4280'] }\n")
        #expect(try orch("apply").status == 0)
        let before = try place.pid("a")
        // It arms what ends it, and becomes the real one: /proc/self/exe is that.
        let point = Failpoint.daemonServing.rawValue
        let script = """
            mv bin/orchd bin/real && cat > bin/orchd <<END && chmod 755 bin/orchd
            #!/bin/sh
            echo \(point) exit > '\(place.home)/failpoint'
            exec '\(place.folder)/bin/real' "\\$@"
            END
            """
        #expect(try place.shell(script).status == 0)
        _ = try orch("daemon restart")
        try place.eventually("the one that served before serves") {
            try orch("daemon status").output.contains(
                "the program that served before, version 0.1.0, runs in its place")
        }
        #expect(contents(place.home + "/state/orchd.log").contains("exited with 3"))
        #expect(try place.pid("a") == before)
        #expect(try place.end() == "")
    }
}
