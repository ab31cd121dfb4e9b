// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

@testable import OrchStore

/// What must not be understood by guessing: a state that a later orch has written, a keeper that speaks another language. Each is refused
/// with its reason and its remedy, and is as it was.
@Suite(.serialized) struct RefusalTests {
    @Test func aLaterDatabaseIsRefusedAtTheStartAndNotTouched() throws {
        let place = try Workplace()
        try place.write("name: later\nservices:\n  a: { command: [sleep, '4270'] }\n")
        #expect(try place.orch("apply").status == 0)
        #expect(try place.orch("daemon", "stop").status == 0)
        let format = try place.setDatabaseFormat(9)
        let before = try place.stateDigest()
        for words in [["daemon", "start"], ["apply"]] {
            let refused = try place.orch(words)
            #expect(refused.status != 0, "\(words)")
            for part in ["\(place.home)/state/orch.db", "of format 9, written by a later orch", "run that orch"] {
                #expect(refused.errors.contains(part), "\(words): \(refused)")
            }
        }
        #expect(try place.stateDigest() == before)
        #expect(try place.shell("pgrep -f -- '\(place.home)' | grep -v $$ || true").output == "", "nothing runs")
        try place.setDatabaseFormat(format)
        #expect(try place.orch("daemon", "start").status == 0)
        #expect(try place.rows().keys.sorted() == ["a"])
        #expect(try place.occurrences("applied").count == 1, "its history is whole")
        #expect(try place.end() == "")
    }

    /// Services run; an upgrade to what can't read the state is refused, and a daemon that dies beside it is not replaced by one that
    /// would: it is tried again until somebody mends it, and services run on.
    @Test func aLaterDatabaseUnderServicesHarmsNone() throws {
        let place = try Workplace()
        try place.write(
            """
            name: under
            services:
              a: { command: [sleep, '4271'] }
              b: { command: 'n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done' }
            """)
        #expect(try place.orch("apply").status == 0)
        let before = try place.rows().mapValues { $0["pid"] }
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        let format = try place.setDatabaseFormat(9)
        let upgrade = try place.orch("daemon", "upgrade")
        #expect(upgrade.status == 1 && upgrade.errors.contains("written by a later orch"), "\(upgrade)")
        #expect(upgrade.errors.contains("keep the version that runs"), "\(upgrade)")
        #expect(try place.keeper() == keeper && place.daemon() == daemon)
        kill(daemon, SIGKILL)
        let log = place.home + "/state/orchd.log"
        try place.until("the daemons refuse, again and again") {
            contents(log).components(of: "it is of format 9, written by a later orch").count > 3
        }
        #expect(before.values.allSatisfy { kill(pid_t($0?.int ?? 0), 0) == 0 }, "services run on")
        try place.setDatabaseFormat(format)
        try place.eventually("one serves") { try place.orch("daemon", "status").status == 0 }
        #expect(try place.rows().mapValues { $0["pid"] } == before)
        #expect(try place.keeper() == keeper)
        #expect(try place.orch("stop", "b").status == 0)
        let check = try place.shell(
            "awk '{ if ($2 != NR) { print NR, $0; exit 1 } }' '\(place.home)'/state/logs/under/b/stdout.log")
        #expect(check.status == 0, "\(check)")
        #expect(try place.end() == "")
    }

    /// The same sources with another number in keeper_protocol.h: a real keeper that speaks another language.
    @Test func anotherProtocolIsRefusedByWhoeverMeetsIt() throws {
        let place = try Workplace()
        let programs = ["orch", "orchd", "orch-edge"].map { program($0) }.joined(separator: " ")
        let build = """
            mkdir -p bin include && cp \(programs) bin && cp \(repository())/Sources/COrch/include/*.h include &&
            sed -i 's/^#define KEEPER_PROTOCOL_VERSION 1$/#define KEEPER_PROTOCOL_VERSION 2/' include/keeper_protocol.h &&
            $(command -v cc || command -v clang) -std=gnu11 -O1 -D_GNU_SOURCE -Iinclude -I\(repository())/Sources/orch-keeper \
              \(repository())/Sources/orch-keeper/*.c \(repository())/Sources/COrch/*.c \(repository())/Sources/COrch/clone.S \
              -o bin/orch-keeper && bin/orch-keeper --version
            """
        let built = try place.shell(build)
        #expect(built.output == "orch-keeper protocol 2\n", "\(built)")
        // At a start: the daemon can't talk to the keeper that has started it.
        let started = try place.shell("timeout 60 bin/orch daemon start")
        #expect(started.status == 4, "\(started)")
        for part in ["the keeper", "it speaks version 2", "this orchd 1", "install orch's programs together"] {
            #expect(started.errors.contains(part), "\(started)")
        }
        #expect(try place.shell("pgrep -f -- '\(place.folder)/[b]in/orch' || true").output == "", "nothing runs")
        // At an upgrade: refused by the one who asks, and by the daemon that is asked by somebody who does not look.
        try place.write("name: spoken\nservices:\n  a: { command: [sleep, '4272'] }\n")
        #expect(try place.orch("apply").status == 0)
        let before = try place.pid("a")
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        let torn = try place.shell("timeout 60 bin/orch daemon upgrade")
        #expect(torn.status == 1 && torn.errors.contains("with protocol 1"), "\(torn)")
        #expect(torn.errors.contains("orch-keeper has protocol 2"), "\(torn)")
        #expect(torn.errors.contains("install orch's programs together"), "\(torn)")
        let script = "#!/bin/sh\\necho orchd \(OrchVersion.text) protocol 2\\n"
        let replaced = try place.shell("printf '\(script)' > bin/new && chmod 755 bin/new && mv bin/new bin/orchd")
        #expect(replaced.status == 0)
        let whole = try place.shell("timeout 60 bin/orch daemon upgrade")
        #expect(whole.status == 1 && whole.errors.contains("it speaks version 2"), "\(whole)")
        #expect(whole.errors.contains("and the one that runs 1"), "\(whole)")
        #expect(whole.errors.contains("by way of a version between the two"), "\(whole)")
        #expect(try place.keeper() == keeper && place.daemon() == daemon)
        #expect(try place.pid("a") == before)
        #expect(try place.end() == "")
    }
}

extension Workplace {
    /// SQLite's user_version, which says the layout; the one that it was.
    @discardableResult
    fileprivate func setDatabaseFormat(_ format: Int64) throws -> Int64 {
        let database = try Database(path: home + "/state/orch.db")
        let former = try database.run("PRAGMA user_version").first?.first?.int ?? -1
        try database.run("PRAGMA user_version = \(format)")
        return former
    }

    /// Of every file that is state, and not the daemon's own log or lock.
    fileprivate func stateDigest() throws -> String {
        try shell(
            "cd '\(home)/state' && find . -type f ! -name orchd.log ! -name lock ! -name 'orch.db-*' | sort | xargs sha256sum"
        ).output
    }
}

extension String {
    fileprivate func components(of separator: String) -> [Substring] {
        split(separator: separator, omittingEmptySubsequences: false)
    }
}
