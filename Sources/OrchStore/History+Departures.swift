// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What a person did by hand against the manifest, and in which boot each stack's was saved: in a table of its own, made with the first
/// save, so that a release that does not know it reads and writes the file as ever.
extension History {
    private static let boots = """
        CREATE TABLE IF NOT EXISTS departure_boots (stack TEXT PRIMARY KEY, boot TEXT NOT NULL) WITHOUT ROWID
        """

    func departures() throws(DatabaseError) -> [Departure] {
        try database.run("SELECT stack, service, replica, kind FROM departures ORDER BY stack, service, replica")
            .compactMap { row in
                guard let stack = row[0].text, let service = row[1].text, let replica = row[2].int,
                    let word = row[3].text,
                    let kind = Departure.Kind(rawValue: word)
                else { return nil }
                return Departure(
                    InstanceID(service: ServiceID(stack: stack, service: service), replica: Int(replica)), kind)
            }
    }

    /// In which boot the departures of each stack were saved; none for a stack whose departures were saved by a release that did not say.
    func bootsOfDepartures() throws(DatabaseError) -> [String: String] {
        let tables = try database.run("SELECT name FROM sqlite_schema WHERE name = 'departure_boots'")
        guard !tables.isEmpty else { return [:] }
        var boots: [String: String] = [:]
        for row in try database.run("SELECT stack, boot FROM departure_boots") {
            if let stack = row[0].text { boots[stack] = row[1].text }
        }
        return boots
    }

    func save(_ departures: [Departure], of stack: String, boot: String?) throws(DatabaseError) {
        let database = database
        try synced { () throws(DatabaseError) in
            try database.run("DELETE FROM departures WHERE stack = ?", [.text(stack)])
            for departure in departures {
                let id = departure.instance
                try database.run(
                    "INSERT OR REPLACE INTO departures VALUES (?, ?, ?, ?)",
                    [.text(stack), .text(id.service.service), .int(Int64(id.replica)), .text(departure.kind.rawValue)])
            }
            try database.run(Self.boots)
            try database.run("DELETE FROM departure_boots WHERE stack = ?", [.text(stack)])
            guard let boot, !departures.isEmpty else { return }
            try database.run("INSERT INTO departure_boots VALUES (?, ?)", [.text(stack), .text(boot)])
        }
    }
}
