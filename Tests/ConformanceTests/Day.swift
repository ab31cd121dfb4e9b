// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// A fixed day under a daemon: an apply, ends and restarts, rotations with and without compression, stop and start, an update, a stack that
/// goes, a daemon that is replaced. The services are `torture-probe`s, which keep books.
final class Day {
    let place: Workplace
    private let torture: Torture

    /// `packs`: one of the logs is rotated and compressed, and nothing of it may go.
    private let packs: Bool
    private var version = 1

    init(_ place: Workplace, packs: Bool = true) {
        self.place = place
        self.packs = packs
        torture = Torture(place, Torture.Size())
    }

    private var writers: [String] { ["whole", "pruned", "json", "turned"] + (packs ? ["packed"] : []) }

    private var manifest: String {
        func stay(_ name: String, _ more: String = "") -> String {
            "  \(name): { command: [\(program("torture-probe")), stay, \(place.folder), \(name), '5']\(more) }\n"
        }
        var text = "name: day\ndefaults: { restart: { policy: always, delay: 20ms, max_delay: 20ms } }\nservices:\n"
        text += stay("whole")
        if packs { text += stay("packed", ", logging: { rotate: { size: 4KB, keep: 100000, compress: gzip } }") }
        text += stay("pruned", ", logging: { rotate: { size: 4KB, keep: 2 } }")
        text += stay("json", ", logging: { format: json }")
        text += stay("turned", ", environment: { VERSION: '\(version)' }, sockets: [./turned.sock]")
        text += "  brief: { command: [\(program("torture-probe")), brief, \(place.folder), brief] }\n"
        return text
    }

    /// All of it is up.
    func begin() throws {
        try place.write(manifest)
        try insist("apply")
        if packs {
            try place.write("name: gone\nservices:\n  g: { command: [sleep, '4281'] }\n", to: "gone.yaml")
            try insist("apply", "-f", "gone.yaml")
        }
        try place.until("all write") { torture.lines("starts").count == writers.count }
    }

    var isArmed: Bool { unsafe access(place.home + "/failpoint", F_OK) == 0 }

    func arm(_ point: Failpoint) throws { try place.write("\(point.rawValue) kill\n", to: "../failpoint") }

    /// An apply that changes one of them, which is stopped and started, too; others end meanwhile.
    func turn() throws {
        version += 1
        try place.write(manifest)
        try insist("apply")
        try insist("stop", "turned")
        try insist("start", "turned")
        let ends = torture.lines("ends").count
        try place.until("some end") { torture.lines("ends").count > ends + 2 }
    }

    func live(upgrades: Bool = false) throws {
        try turn()
        try insist("down", "gone")
        try insist("daemon", upgrades ? "upgrade" : "restart")
        // What is done behind comes a moment later: history and what it releases, packing.
        try place.until("what is armed is reached") { !isArmed }
    }

    private var logs: String { "\(place.home)/state/logs/day" }

    /// As somebody does whose command failed, or was cut off: it says why, and works when it is tried again.
    func insist(_ words: String...) throws {
        var last: Workplace.Outcome?
        for attempt in 1...4 {
            last = try place.orch(words)
            if last?.status == 0 { return }
            // It was done, and the daemon that did it died before it said so.
            if attempt > 1, words.first == "down", last?.errors.contains("no stack \"") == true { return }
            #expect(last?.errors.isEmpty == false, "\(words) failed and did not say why")
        }
        throw Broken("\(words): \(last.map { "\($0)" } ?? "")")
    }

    // MARK: The evening

    /// `mayForget`: how a service ended that was dying as the keeper did.
    func end(mayForget: Bool) throws {
        try place.write("", to: "rest")
        try place.eventually("the short one rests") { torture.lines("resting").count == 1 }
        let rows = try place.rows()
        #expect(
            rows.count == writers.count + 1 && rows.values.allSatisfy { $0["phase"] == "ready" },
            "\(rows.mapValues { $0["phase"] })")
        for name in writers where name != "turned" {
            let starts = torture.lines("starts").filter { $0[0] == name }
            #expect(starts.count == 1, "\(name) was started again")
            #expect(rows[name]?["pid"]?.int == starts.first.flatMap { Int64($0[1]) }, "\(name) is not who it was")
        }
        try checkVersion(rows)
        try insist("down", "day")
        let longs = torture.lines("written").count
        let truth = Dictionary(grouping: torture.lines("ends") + torture.lines("resting")) { UInt64($0[0]) ?? 0 }
        try? place.eventually("the history is written", within: mayForget ? 5 : 30) {
            try torture.collect()
            return truth.keys.allSatisfy { torture.told[$0] != nil } && torture.told.count >= truth.count + longs
        }
        #expect(torture.lines("contested").isEmpty, "two of a name: \(torture.lines("contested"))")
        checkEnds(truth, longs, mayForget)
        // What was born as the keeper died, and was gone before the next one looked, may take its words with it.
        let mayBeSilent = truth.keys.filter { mayForget && !knowsEnd(of: $0, truth) }
        try checkLogs(truth, mayBeSilent: Set(mayBeSilent))
        #expect(try place.end() == "")
    }

    /// What was applied last is what runs.
    private func checkVersion(_ rows: [String: Value]) throws {
        let pid = rows["turned"]?["pid"]?.int ?? 0
        #expect(contents("/proc/\(pid)/environ").split(separator: "\0").contains("VERSION=\(version)"))
    }

    private func knowsEnd(of launch: UInt64, _ truth: [UInt64: [[String]]]) -> Bool {
        (torture.told[launch] ?? []).map(\.end) == [truth[launch]?[0][1]]
    }

    private func checkEnds(_ truth: [UInt64: [[String]]], _ longs: Int, _ mayForget: Bool) {
        for (launch, ends) in truth.sorted(by: { $0.key < $1.key }) {
            let told = (torture.told[launch] ?? []).map(\.end)
            let isKnown = knowsEnd(of: launch, truth)
            // A keeper that dies may take with it how its last one ended.
            #expect(
                ends.count == 1 && (isKnown || (mayForget && told.allSatisfy { $0.contains("keeper") })),
                "launch \(launch): \(ends), and history says \(told)")
        }
        // One that could not begin has no book; why is told instead of an end.
        let others = torture.told.filter { truth[$0.key] == nil }.values.joined().filter {
            !$0.end.hasPrefix("never executed: ")
        }
        #expect(!others.contains { $0.service == "brief" }, "made up: \(others.filter { $0.service == "brief" })")
        let told = others.filter { $0.service != "brief" && $0.service != "g" }
        let isRight = told.allSatisfy { $0.end == "0" || (mayForget && $0.end.contains("keeper")) }
        #expect(told.count == longs && isRight, "\(told.count) of \(longs): \(told)")
    }

    /// The lines of each in order, segment by segment; a plain segment before its packed copy.
    private func checkLogs(_ truth: [UInt64: [[String]]], mayBeSilent: Set<UInt64>) throws {
        let read = """
            cd '\(logs)/NAME' && { ls | grep -E '^stdout\\.log\\.[0-9]+(\\.gz)?$' | sort -t. -k3,3n -k4 | awk -F. '!seen[$3]++'; echo stdout.log; } |
              while read -r f; do case $f in *.gz) zcat "$f" ;; *) cat "$f" 2>/dev/null || zcat "$f.gz" ;; esac; done
            """
        func lines(_ name: String) throws -> [String] {
            try place.shell(read.replacing("NAME", with: name)).output.split(separator: "\n").map(String.init)
        }
        for name in writers where name != "pruned" && name != "json" {
            let runs = torture.lines("written").filter { $0[0] == name }.compactMap { Int($0[1]) }
            let expected = runs.flatMap { count in count == 0 ? [] : Array(1...count) }.map { Day.line(name, $0) }
            let found = try lines(name)
            let first = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
            #expect(
                found.count == expected.count && first == nil,
                "\(name): \(found.count) lines of \(expected.count); first \(first.map { "\($0)" } ?? "none")")
        }
        let last = torture.lines("written").first { $0[0] == "pruned" }.flatMap { Int($0[1]) } ?? 0
        let kept = try lines("pruned")
        #expect(
            kept.count > 40 && kept.enumerated().allSatisfy { $1 == Day.line("pruned", last - kept.count + 1 + $0) },
            "pruned: \(kept.count) of \(last) from \(kept.first ?? "")")
        let heard = try lines("brief").map { String($0.dropFirst("launch ".count)) }
        let spoke = truth.keys.sorted().filter { !mayBeSilent.contains($0) || heard.contains("\($0)") }
        #expect(heard == spoke.map { "\($0)" }, "brief")
        // A kill may repeat the last block, and loses none.
        let count = torture.lines("written").first { $0[0] == "json" }.flatMap { Int($0[1]) } ?? 0
        let spoken = try lines("json").compactMap { try JSON.parse(String($0))["message"]?.string ?? "" }
        #expect(Set(spoken) == Set((1...count).map { Day.line("json", $0) }), "json: \(spoken.count) of \(count)")
    }

    private static func line(_ name: String, _ number: Int) -> String {
        "\(name) \(number) a line of a length that is no power of two"
    }
}
