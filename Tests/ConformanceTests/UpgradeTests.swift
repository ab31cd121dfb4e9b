// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// One version takes over from another, there and back, with services that run and write; and what is no better than nothing does not.
@Suite(.serialized) struct UpgradeTests {
    @Test(arguments: KeeperDeathTests.trackings) func thereAndBackCostsNothing(tracking: String?) throws {
        let two = try TwoVersions(tracking: tracking)
        let place = two.place
        try two.applyWriters(20)
        let before = try two.pids()
        let keeper = try place.keeper()
        let steps = [("new", "orch 0.1.0 → 0.2.0 in ", "0.2.0"), ("old", "orch 0.2.0 → 0.1.0 in ", "0.1.0")]
        for (folder, change, version) in steps {
            let upgrade = try two.orch(folder, "daemon upgrade")
            #expect(upgrade.status == 0 && upgrade.output.hasPrefix(change), "\(upgrade)")
            #expect(upgrade.output.contains("21 launches handed over"), "\(upgrade)")
            let running = try two.pids()
            let touched = ["dies", "s20"]
            #expect(running.filter { !touched.contains($0.key) } == before.filter { !touched.contains($0.key) })
            #expect(try place.keeper() == keeper, "the keeper is the same process")
            #expect(two.executable(of: keeper) == "\(two.path)/\(folder)/orch-keeper")
            let status = try JSON.parse(try two.orch(folder, "daemon status --json").output)
            #expect(status["version"]?.string == version)
            #expect(status["fallback"]?.string == nil && status["remarks"]?.array?.isEmpty == true, "\(status)")
            #expect(try two.orch(folder, "restart s20").status == 0, "changes are made within one version")
            // The keeper is the services' parent as it ever was: an end is known as it was, and told once.
            kill(pid_t(running["dies"] ?? 0), SIGUSR1)
            try place.eventually("it is started again") {
                try place.phase("dies") == "ready" && place.pid("dies") != running["dies"]
            }
        }
        let ends = try place.occurrences("exited").filter { $0["service"]?.string == "dies" }
        #expect(ends.compactMap { $0["exit"]?["signal"]?.string } == ["SIGUSR1", "SIGUSR1"], "\(ends)")
        try two.checkLines(19)
        #expect(try place.end() == "")
    }

    /// Each is refused, or given up, with its reason, and what ran before runs on.
    @Test func whatCanNotTakeOverIsRefusedBeforeAnythingIsTouched() throws {
        let two = try TwoVersions()
        let place = two.place
        try two.applyWriters(3)
        let before = try two.pids()
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        let changes = [
            ("echo no program > orchd", "orchd"),
            ("printf '#!/bin/sh\\necho no shared library >&2\\nexit 127\\n' > orchd", "no shared library"),
            ("printf '#!/no/such/interpreter\\n' > orch-keeper", "orch-keeper"),
            ("cp ../old/orchd orchd", "install orch's programs together"),
            ("sed -i 's/\"format\":1/\"format\":9/' \(place.home)/state/stacks/*.json", "written by a later orch"),
        ]
        for (change, reason) in changes {
            let save = "cd \(two.path)/new && mkdir ../kept && cp orchd orch-keeper ../kept"
            #expect(try place.shell("\(save) && \(change) && chmod 755 orchd orch-keeper").status == 0)
            let upgrade = try two.orch("new", "daemon upgrade")
            #expect(upgrade.status == 1, "\(change): \(upgrade)")
            #expect(upgrade.errors.contains(reason), "\(change): \(upgrade)")
            #expect(try place.keeper() == keeper && place.daemon() == daemon, "\(change)")
            let undo = "cd \(two.path) && cp -f kept/* new && rm -r kept"
            let format = "sed -i 's/\"format\":9/\"format\":1/' \(place.home)/state/stacks/*.json"
            #expect(try place.shell("\(undo) && \(format)").status == 0)
        }
        #expect(try two.pids() == before)
        #expect(try two.orch("new", "daemon upgrade").status == 0, "nothing is left of the attempts")
        #expect(try two.pids() == before)
        try two.checkLines(3)
        #expect(try place.end() == "")
    }

    /// They say what they are, and then don't serve.
    @Test(arguments: ["orch-keeper exit 3", "orch-keeper exec sleep 1000", "orchd exit 3"])
    func whatDiesInsteadOfTakingOverIsGoneBackFrom(broken: String) throws {
        let two = try TwoVersions()
        let place = two.place
        try two.applyWriters(3)
        let before = try two.pids()
        let name = String(broken.prefix { $0 != " " })
        let script = """
            cd \(two.path)/new && mv \(name) real-\(name) && cat > \(name) <<'END' && chmod 755 \(name)
            #!/bin/sh
            case "$1" in --version) exec "${0%/*}/real-\(name)" "$@" ;; esac
            \(broken.dropFirst(name.utf8.count + 1))
            END
            """
        #expect(try place.shell(script).status == 0)
        let began = time(nil)
        let upgrade = try two.orch("new", "daemon upgrade")
        let took = time(nil) - began
        #expect(upgrade.status == 1, "\(upgrade)")
        #expect(upgrade.errors.contains("version 0.2.0 did not take over"), "\(upgrade)")
        let reason = "the program that served before, version 0.1.0, runs in its place"
        #expect(upgrade.errors.contains(reason), "\(upgrade)")
        print("\(broken): the version before is back after \(took) s")
        #expect(try two.pids() == before)
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" && $0["restarts"]?.int ?? 0 == 0 })
        let status = try JSON.parse(try two.orch("old", "daemon status --json").output)
        #expect(status["version"]?.string == "0.1.0" && status["fallback"]?.string != nil, "\(status)")
        #expect(try place.occurrences("warning").contains { $0["cause"]?.string?.contains(reason) ?? false })
        #expect(try two.orch("old", "restart s3").status == 0, "it is whole again")
        #expect(try place.shell("cd \(two.path)/new && mv real-\(name) \(name)").status == 0)
        let again = try two.orch("new", "daemon upgrade")
        #expect(again.status == 0 && again.output.hasPrefix("orch 0.1.0 → 0.2.0"), "\(again)")
        #expect(try two.pids().filter { $0.key != "s3" } == before.filter { $0.key != "s3" })
        try two.checkLines(2)
        #expect(try place.end() == "")
    }

    /// The files of what runs are gone, and those at their places are no good: both were kept open.
    @Test func whatRanBeforeIsThereThoughItsFilesAreNot() throws {
        let two = try TwoVersions()
        let place = two.place
        try two.applyWriters(3)
        let before = try two.pids()
        let script = """
            cd \(two.path)/new && mv orch-keeper real-keeper && cat > orch-keeper <<'END' && chmod 755 orch-keeper
            #!/bin/sh
            case "$1" in --version) exec "${0%/*}/real-keeper" "$@" ;; esac
            exit 3
            END
            mv -f * ../old
            """
        #expect(try place.shell(script).status == 0)
        let upgrade = try two.orch("old", "daemon upgrade")
        #expect(upgrade.status == 1 && upgrade.errors.contains("version 0.1.0, runs in its place"), "\(upgrade)")
        let keeper = try place.keeper()
        #expect(two.executable(of: keeper).hasSuffix("/old/orch-keeper (deleted)"))
        kill(keeper, SIGKILL)
        try place.eventually("another keeper, of the former version too, and the daemon that is installed") {
            try place.keeper() != keeper && two.executable(of: place.keeper()).hasSuffix("orch-keeper (deleted)")
                && place.orch("daemon", "status", "--json").output.contains("0.2.0")
        }
        #expect(try two.pids() == before)
        #expect(try place.shell("cd \(two.path)/old && mv -f real-keeper orch-keeper").status == 0)
        #expect(try two.orch("old", "daemon upgrade").status == 0)
        #expect(two.executable(of: try place.keeper()) == "\(two.path)/old/orch-keeper")
        #expect(try two.pids() == before)
        try two.checkLines(3)
        #expect(try place.end() == "")
    }

    /// The keeper is killed at some moment of the upgrade: before, while and after it becomes the new one.
    @Test func killingTheKeeperMeanwhileCostsNothing() throws {
        let two = try TwoVersions()
        let place = two.place
        try two.applyWriters(10)
        let before = try two.pids()
        for round in 0..<12 {
            let folder = round % 2 == 0 ? "new" : "old"
            let keeper = try place.keeper()
            let kill = "(n=0; while [ $n -lt \(round * 40) ]; do n=$((n+1)); done; kill -9 \(keeper)) &"
            // Its upgrade may have been given up for it: that is said, and nothing else is lost.
            let isSame = "[ \"$(readlink /proc/\(keeper)/exe)\" = \(two.executable(of: keeper)) ]"
            let watch = "while \(isSame) && kill -0 \(keeper); do :; done"
            let when = round % 3 == 0 ? kill : "(timeout 5 sh -c '\(watch)' 2>/dev/null; kill -9 \(keeper)) &"
            let upgrade = "timeout 100 \(two.path)/\(folder)/orch daemon upgrade"
            let outcome = try place.shell("\(when) \(upgrade); s=$?; wait; exit $s")
            #expect(outcome.status == 0 || outcome.status == 1, "\(outcome)")
            try place.eventually("another keeper and its daemon serve") {
                try place.keeper() != keeper && place.orch("daemon", "status").status == 0
            }
            #expect(try two.pids() == before, "round \(round): \(outcome)")
        }
        #expect(try place.rows().values.allSatisfy { $0["phase"] == "ready" && $0["restarts"]?.int ?? 0 == 0 })
        let last = try two.orch("new", "daemon upgrade")
        #expect(last.status == 0, "\(last)")
        try two.checkLines(10)
        #expect(try place.end() == "")
    }
}

/// The programs of this build and, in another folder, the same as a later version: 0.1.0 is 0.2.0 wherever it stands in them.
struct TwoVersions {
    let place: Workplace
    var path: String { "\(place.home)/versions" }

    init(tracking: String? = nil) throws {
        place = try Workplace(tracking: tracking)
        let programs = ["orch", "orchd", "orch-keeper", "orch-edge"].map { program($0) }.joined(separator: " ")
        let made = try place.shell(
            """
            mkdir -p \(path)/old \(path)/new && cp \(programs) \(path)/old && cp \(programs) \(path)/new &&
            perl -pi -e 's/0\\.1\\.0/0.2.0/g' \(path)/new/*
            """)
        guard made.status == 0 else { throw Broken("\(made)") }
    }

    func orch(_ folder: String, _ words: String) throws -> Workplace.Outcome {
        try place.shell("timeout 100 \(path)/\(folder)/orch \(words)")
    }

    /// Services that write numbered lines, each under a lock of its own, and one that does nothing.
    func applyWriters(_ count: Int) throws {
        var text = "name: many\ndefaults: { restart: { policy: always, delay: 50ms } }\nservices:\n"
        for number in 1...count {
            text += """
                  s\(number): { command: 'exec 9>lock.\(number); flock -n 9 || echo twice >> twice; n=0; while :; do n=$((n+1)); echo line $n; sleep 0.01; done' }

                """
        }
        text += "  dies: { command: [sleep, '4251'] }\n"
        try place.write(text)
        let apply = try orch("old", "apply")
        guard apply.status == 0 else { throw Broken("\(apply)") }
    }

    func pids() throws -> [String: Int64] { try place.rows().mapValues { $0["pid"]?.int ?? 0 } }

    /// Every line that the first so many wrote is in their logs, once and in order.
    func checkLines(_ count: Int) throws {
        let names = (1...count).map { "s\($0)" }.joined(separator: " ")
        var stop = try orch("old", "stop \(names)")
        if stop.status == 5 { stop = try orch("new", "stop \(names)") }
        #expect(stop.status == 0, "\(stop)")
        let check = try place.shell(
            """
            [ -e twice ] && exit 1
            for s in \(names); do awk '{ if ($2 != NR) { print "line", NR, "says", $0; exit 1 } } END { exit NR < 5 }' "\(place.home)"/state/logs/many/$s/stdout.log || { echo $s; exit 1; }; done
            """)
        #expect(check.status == 0, "\(check)")
    }

    func executable(of pid: pid_t) -> String {
        var target = [CChar](repeating: 0, count: 4096)
        let length = unsafe readlink("/proc/\(pid)/exe", &target, target.count - 1)
        return String(decoding: target.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
