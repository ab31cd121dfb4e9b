// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire

@testable import OrchStore

/// Services that keep books of their own under a daemon that is killed again and again: `Tests/torture-probe`. What they did is then
/// held against the history and the logs.
final class Torture {
    /// How much of it; by the environment, as `make torture` says it.
    struct Size {
        /// Services that write numbered lines all the time, and hold a lock.
        var services = size("TORTURE_SERVICES", 40)
        var seconds = size("TORTURE_SECONDS", 8)
        /// Short launches at least.
        var launches = size("TORTURE_LAUNCHES", 400)
        var seed = UInt64(size("TORTURE_SEED", Int(UInt32.random(in: 0 ..< .max))))
        /// Services that end as soon as they have begun, and are started again.
        var briefs: Int { min(200, max(8, launches / 100)) }
        /// Milliseconds between two lines of one service: some 5,000 lines a second in all.
        var period: Int { max(10, services / 5) }

        private static func size(_ name: String, _ usual: Int) -> Int {
            unsafe getenv(name).flatMap { unsafe Int(String(cString: $0)) } ?? usual
        }
    }

    let place: Workplace
    let size: Size
    var books: String { place.folder }
    private(set) var kills = 0
    /// Of the daemons that were killed, so many had taken over.
    private(set) var served = 0
    /// Seconds of the storm.
    private(set) var lasted = 0
    /// Milliseconds from deaths of daemons until the next ones were there, and from then until those that did had taken over; all in all.
    private(set) var absent: Int64 = 0
    private(set) var takingOver: Int64 = 0
    /// Lines of all writers, once they were counted.
    private(set) var linesWritten = 0
    /// Exits as the history tells them, by launch: in order, with the service and the end.
    private(set) var told: [UInt64: [(service: String, end: String)]] = [:]
    private var dice: SplitMix
    private var database: Database?
    private var lastEvent: Int64 = 0

    init(_ place: Workplace, _ size: Size) {
        self.place = place
        self.size = size
        dice = SplitMix(seed: size.seed)
    }

    /// The manifest. Half of the writers rotate their logs all the time.
    var manifest: String {
        let probe = program("torture-probe")
        var text = "name: torture\ndefaults: { restart: { policy: always, delay: 5ms, max_delay: 5ms } }\nservices:\n"
        for number in 1...size.services {
            let rotation = number % 2 == 0 ? ", logging: { rotate: { size: 4KB, keep: 100000 } }" : ""
            text += "  s\(number): { command: [\(probe), stay, \(books), s\(number), '\(size.period)']\(rotation) }\n"
        }
        for number in 1...size.briefs {
            text += "  b\(number): { command: [\(probe), brief, \(books), b\(number)] }\n"
        }
        return text
    }

    func awaitWriters() throws {
        try place.eventually("all writers write") { lines("starts").count == size.services }
    }

    // MARK: The storm

    /// Kills daemons: one in three 2 to 100 ms after it began, the others so long after they served, but now and then one after a second,
    /// which lets the history be written by it.
    func storm() throws {
        let keeper = try place.keeper()
        let start = time(nil)
        defer { lasted = time(nil) - start }
        var former: pid_t = 0
        var died = milliseconds()
        var known: Set<pid_t> = []
        while time(nil) - start < size.seconds || lines("ends").count < size.launches {
            guard time(nil) - start < size.seconds * 20 + 60 else {
                throw Broken("\(lines("ends").count) launches of \(size.launches) within \(time(nil) - start) s")
            }
            let daemon = try next(after: former, of: keeper, &known)
            let began = milliseconds()
            absent += began - died
            let kind = dice.below(30)
            if kind >= 9 {
                awaitService(of: daemon)
                takingOver += milliseconds() - began
            }
            rest(Int32(kind == 29 ? 1_050 + dice.below(400) : 2 + dice.below(99)))
            if kind == 29 { try collect() }
            if hasServed(daemon) { served += 1 }
            kill(daemon, SIGKILL)
            died = milliseconds()
            kills += 1
            former = daemon
        }
    }

    /// The keeper's child that is the daemon, once there is another one than before.
    private func next(after former: pid_t, of keeper: pid_t, _ known: inout Set<pid_t>) throws -> pid_t {
        let deadline = time(nil) + 60
        while time(nil) < deadline {
            let children = contents("/proc/\(keeper)/task/\(keeper)/children").split(separator: " ").compactMap {
                pid_t($0)
            }
            for child in children where child != former && !known.contains(child) {
                switch contents("/proc/\(child)/comm") {
                case "orchd\n": return child
                case "torture-probe\n": known.insert(child)
                default: break
                }
            }
            rest(1)
        }
        throw Broken("no daemon comes after \(former)")
    }

    /// Its own log says that it serves; or its time is over before that.
    private func awaitService(of daemon: pid_t) {
        let deadline = time(nil) + 10
        while time(nil) < deadline, kill(daemon, 0) == 0 {
            if hasServed(daemon) { return }
            rest(1)
        }
    }

    private func hasServed(_ daemon: pid_t) -> Bool {
        tail(place.home + "/state/orchd.log").contains("orchd[\(daemon)] ready")
    }

    private func tail(_ path: String) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 2_048)
        let end = lseek(file, 0, SEEK_END)
        let count = unsafe pread(file, &bytes, bytes.count, max(0, end - 2_048))
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    func milliseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// The load's own rhythm; poll(2) on nothing.
    private func rest(_ milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }

    // MARK: What is told and what is true

    /// Lines of one of the services' books, as words.
    func lines(_ book: String) -> [[String]] {
        contents("\(books)/\(book)").split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    /// As many lines as they say that they wrote.
    func countLines() { linesWritten = lines("written").reduce(0) { $0 + (Int($1.last ?? "") ?? 0) } }

    /// Reads what came to the history since the last time: the newest 100,000 are kept, and there may be more.
    func collect() throws {
        if database == nil { database = try Database(path: place.home + "/state/orch.db") }
        guard let database else { return }
        let rows = try database.run(
            "SELECT id, body FROM events WHERE id > ? AND body LIKE '%\"exited\"%' ORDER BY id", [.int(lastEvent)])
        for row in rows {
            lastEvent = row[0].int ?? lastEvent
            guard let occurrence = try row[1].text.map({ try Occurrence(JSON.parse($0)) }), occurrence.kind == .exited,
                let launch = occurrence.launch?.number
            else { continue }
            let end: String
            switch occurrence.exit {
            case .code(let code): end = "\(code)"
            case .signal(let signal, _): end = signal.name
            case .unknown, nil: end = occurrence.cause
            }
            told[launch, default: []].append((occurrence.service ?? occurrence.instance?.service.service ?? "?", end))
        }
    }

    /// How the history of the short launches differs from their own books; empty when it does not.
    func differences() -> [String] {
        var wrong: [String] = []
        var truth: [UInt64: String] = [:]
        for words in lines("ends") + lines("resting") where words.count == 2 {
            let launch = UInt64(words[0]) ?? 0
            if truth.updateValue(words[1], forKey: launch) != nil { wrong.append("launch \(launch) ran twice") }
        }
        for (launch, end) in truth.sorted(by: { $0.key < $1.key }) {
            let ends = told[launch] ?? []
            if ends.map(\.end) != [end] { wrong.append("launch \(launch) ended with \(end), and history says \(ends)") }
        }
        for (launch, ends) in told.sorted(by: { $0.key < $1.key }) where truth[launch] == nil {
            for end in ends where !end.service.hasPrefix("s") {
                wrong.append("history made up that \(end.service) as \(launch) ended with \(end.end)")
            }
        }
        let longs = told.values.joined().filter { $0.service.hasPrefix("s") }
        let names = Set(longs.map(\.service))
        if longs.count != size.services || names.count != size.services || longs.contains(where: { $0.end != "0" }) {
            wrong.append("\(longs.count) ends of \(names.count) writers: \(longs.filter { $0.end != "0" }.prefix(5))")
        }
        return wrong
    }

    /// Lines that are lost, doubled or torn in the raw logs, segment by segment and in order.
    func damage() throws -> String {
        try place.write(lines("written").map { $0.joined(separator: " ") + "\n" }.joined(), to: "counts")
        return try place.shell(
            """
            cd '\(place.home)/state/logs/torture'
            while read -r name count; do
              { ls $name | grep '^stdout\\.log\\.[0-9]*$' | sort -t. -k3 -n | sed "s|^|$name/|"; echo $name/stdout.log; } | xargs cat \\
              | awk -v name=$name -v count=$count '$0 != name " " NR " a line of a length that is no power of two" {
                  print name, "line", NR, "is", $0; exit } END { if (NR != count) print name, "has", NR, "lines of", count }'
            done < '\(books)/counts'
            { ls b*/* | grep '/stdout\\.log\\.[0-9]*$'; ls b*/stdout.log; } | xargs cat | awk '{ print $2 }' | sort > '\(books)/heard'
            cat '\(books)/ends' '\(books)/resting' | awk '{ print $1 }' | sort | diff - '\(books)/heard'
            """
        ).output
    }
}
