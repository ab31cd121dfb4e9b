// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchWire

/// `state/orch.db`: events, hand-made departures, reservations. In WAL mode; a commit that must outlive
/// the machine is synced, others are written behind.
struct History {
    /// SQLite's user_version of this layout.
    static let format: Int64 = 2
    private static let schema = [
        "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, stack TEXT NOT NULL, service TEXT, replica INTEGER,
        body TEXT NOT NULL)
        """,
        "CREATE INDEX IF NOT EXISTS events_by_service ON events (stack, service, id)",
        """
        CREATE TABLE IF NOT EXISTS departures (stack TEXT NOT NULL, service TEXT NOT NULL, replica INTEGER NOT NULL, kind TEXT NOT NULL,
        PRIMARY KEY (stack, service, replica)) WITHOUT ROWID
        """,
        """
        CREATE TABLE IF NOT EXISTS revisions (id INTEGER PRIMARY KEY, stack TEXT NOT NULL, digest TEXT NOT NULL, applied_at INTEGER NOT NULL,
        author TEXT NOT NULL)
        """,
        """
        CREATE TABLE IF NOT EXISTS schedules (stack TEXT NOT NULL, instance TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (stack, instance)) WITHOUT ROWID
        """,
        "PRAGMA user_version = \(format)",
    ]

    let database: Database
    private var appended = 0
    /// The table of ends is there and knows all events.
    var areEndsCurrent = false

    enum Problem: Error {
        case damaged(String)
        case newer(Int64)
        case failed(DatabaseError)
    }

    /// Opens the file, checks it and lays it out when it is new. `boot`: what names this boot; empty when that is not known.
    init(path: String, boot: String) throws(Problem) {
        do throws(DatabaseError) {
            database = try Database(path: path)
            let written = try database.run("PRAGMA user_version").first?.first?.int ?? 0
            guard written <= Self.format else { throw DatabaseError(code: -1, message: "\(written)") }
            try database.run("PRAGMA journal_mode = WAL")
            try database.run("PRAGMA synchronous = NORMAL")
            try database.run("PRAGMA journal_size_limit = 4194304")
            if try !isChecked(in: boot) {
                let verdict = try database.run("PRAGMA quick_check(1)").first?.first?.text ?? "no answer"
                guard verdict == "ok" else { throw DatabaseError(code: 11, message: verdict) }
            }
            // Nothing is written to one that is laid out: a full disk must not keep the daemon from its state.
            if written < Self.format {
                let database = database
                try database.transaction { () throws(DatabaseError) in
                    for statement in Self.schema { try database.run(statement) }
                }
            }
            // The tables answer: a layout that is not ours is as bad as damage.
            try database.run("SELECT id, time, stack, service, replica, body FROM events LIMIT 1")
            try database.run("SELECT stack, service, replica, kind FROM departures LIMIT 1")
            try database.run("SELECT id, stack, digest, applied_at, author FROM revisions LIMIT 1")
            try database.run("SELECT key, number FROM meta LIMIT 1")
            try database.run("SELECT stack, instance, body FROM schedules LIMIT 1")
            noteCheck(in: boot)
        } catch {
            if error.code == -1 { throw .newer(Int64(error.message) ?? 0) }
            if error.isDamage || error.code == 1 { throw .damaged(error.message) }
            throw .failed(error)
        }
    }

    func nextLaunch() throws(DatabaseError) -> UInt64? {
        try database.run("SELECT number FROM meta WHERE key = 'next_launch'").first?.first?.int.map {
            UInt64(bitPattern: $0)
        }
    }

    func reserve(_ next: UInt64) throws(DatabaseError) {
        try synced { () throws(DatabaseError) in
            try database.run("INSERT OR REPLACE INTO meta VALUES ('next_launch', ?)", [.int(Int64(bitPattern: next))])
        }
    }

    mutating func append(_ occurrences: [Occurrence]) throws(DatabaseError) {
        let database = database
        try database.transaction { () throws(DatabaseError) in
            if !areEndsCurrent { try catchUpWithEnds() }
            for occurrence in occurrences where try isNews(occurrence) {
                try database.run(
                    "INSERT INTO events (time, stack, service, replica, body) VALUES (?, ?, ?, ?, ?)",
                    [
                        .int(occurrence.time.nanoseconds), .text(occurrence.stack),
                        .optional(occurrence.service ?? occurrence.instance?.service.service),
                        occurrence.instance.map { .int(Int64($0.replica)) } ?? .null,
                        .text(JSON.text(of: occurrence.value)),
                    ])
            }
            try markEnds()
            Failpoint.eventsInserted.reach()
        }
        areEndsCurrent = true
        appended += occurrences.count
        guard appended >= 1_000, let newest = occurrences.last?.time else { return }
        appended = 0
        try prune(before: newest)
    }

    private func prune(before newest: WallTime) throws(DatabaseError) {
        try database.run(
            "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", [.int(Int64(Limits.storedOccurrences))])
        try pruneEnds()
        let oldest = newest.nanoseconds - Limits.storedOccurrenceAge.nanoseconds
        try database.run("DELETE FROM events WHERE time < ? AND id < (SELECT max(id) FROM events)", [.int(oldest)])
    }

    /// The newest `limit` in the order in which they came.
    func occurrences(of target: Target?, since: WallTime?, limit: Int) throws(DatabaseError) -> [Occurrence] {
        var conditions: [String] = []
        var parameters: [Cell] = []
        func add(_ condition: String, _ cell: Cell) {
            conditions.append(condition)
            parameters.append(cell)
        }
        if let target { add("stack = ?", .text(target.stack)) }
        if let service = target?.service { add("service = ?", .text(service)) }
        if let replica = target?.replica { add("replica = ?", .int(Int64(replica))) }
        if let since { add("time >= ?", .int(since.nanoseconds)) }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        parameters.append(.int(Int64(limit)))
        let rows = try database.run("SELECT time, body FROM events \(filter) ORDER BY id DESC LIMIT ?", parameters)
        return rows.reversed().compactMap { row in
            guard let time = row[0].int, let body = row[1].text, let value = try? JSON.parse(body),
                var occurrence = try? Occurrence(value)
            else { return nil }
            occurrence.time = WallTime(nanoseconds: time)
            return occurrence
        }
    }

    /// What was applied of a stack before the pointers held it, newest first. Nothing is added to it any more.
    func revisions(of stack: String) throws(DatabaseError) -> [AppliedRevision] {
        try database.run(
            "SELECT digest, applied_at, author FROM revisions WHERE stack = ? ORDER BY id DESC", [.text(stack)]
        ).compactMap { row in
            guard let digest = row[0].text.flatMap({ Digest(hex: $0) }), let at = row[1].int else { return nil }
            return AppliedRevision(
                revision: digest, appliedAt: WallTime(nanoseconds: at), author: row[2].text ?? "")
        }
    }

    /// A transaction that is on the disk when it returns (synchronous=FULL syncs the log at each commit).
    func synced(_ work: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try database.run("PRAGMA synchronous = FULL")
        defer { _ = try? database.run("PRAGMA synchronous = NORMAL") }
        try database.transaction(work)
    }
}
