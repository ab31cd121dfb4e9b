// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire

/// One end for each launch, whoever tells it how often: a table of the launches whose `exited` is among the events, written in the same
/// transaction. A release that does not know the table reads and writes the file as ever; what it wrote meanwhile is read in afterwards,
/// which is why the layout keeps its number.
extension History {
    private static let layout = """
        CREATE TABLE IF NOT EXISTS ends (id INTEGER PRIMARY KEY, launch INTEGER NOT NULL UNIQUE)
        """
    /// In `meta`: the events up to this one are in the table.
    private static let mark = "ends_through"

    /// Makes the table, and reads in what was written without it. Only in a transaction.
    func catchUpWithEnds() throws(DatabaseError) {
        try database.run(Self.layout)
        let seen = try database.run("SELECT number FROM meta WHERE key = ?", [.text(Self.mark)]).first?.first?.int
        for end in try lateEnds(after: seen ?? 0) {
            try database.run("INSERT OR IGNORE INTO ends (launch) VALUES (?)", [.int(Int64(bitPattern: end.number))])
        }
    }

    /// As the events themselves say it.
    private func lateEnds(after id: Int64) throws(DatabaseError) -> [LaunchID] {
        try database.run(
            "SELECT body FROM events WHERE id > ? ORDER BY id DESC LIMIT ?",
            [.int(id), .int(Int64(Limits.occurrencesPerAnswer))]
        ).compactMap { row in
            guard let body = row[0].text, let value = try? JSON.parse(body), let event = try? Occurrence(value),
                event.kind == .exited
            else { return nil }
            return event.launch
        }
    }

    /// False for an end that was told before.
    func isNews(_ occurrence: Occurrence) throws(DatabaseError) -> Bool {
        guard occurrence.kind == .exited, let launch = occurrence.launch else { return true }
        let inserted = try database.run(
            "INSERT OR IGNORE INTO ends (launch) VALUES (?) RETURNING id", [.int(Int64(bitPattern: launch.number))])
        return !inserted.isEmpty
    }

    /// All events so far are in the table.
    func markEnds() throws(DatabaseError) {
        try database.run("INSERT OR REPLACE INTO meta SELECT ?, ifnull(max(id), 0) FROM events", [.text(Self.mark)])
    }

    func pruneEnds() throws(DatabaseError) {
        try database.run(
            "DELETE FROM ends WHERE id <= (SELECT max(id) FROM ends) - ?", [.int(Int64(Limits.storedOccurrences))])
    }

    mutating func endsTold(among launches: [LaunchID]) throws(DatabaseError) -> Set<LaunchID> {
        if !areEndsCurrent {
            do {
                try database.transaction { () throws(DatabaseError) in try catchUpWithEnds() }
                areEndsCurrent = true
            } catch {
                // A full disk takes no table.
                return Set(try lateEnds(after: 0)).intersection(launches)
            }
        }
        var told: Set<LaunchID> = []
        for launch in launches {
            let found = try database.run(
                "SELECT id FROM ends WHERE launch = ?", [.int(Int64(bitPattern: launch.number))])
            if !found.isEmpty { told.insert(launch) }
        }
        return told
    }
}
