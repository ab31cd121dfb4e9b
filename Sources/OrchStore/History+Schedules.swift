// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel
import OrchWire

/// How far schedules have come: one row each, replaced as they go on.
extension History {
    func marks() throws(DatabaseError) -> [ScheduleMark] {
        try database.run("SELECT body FROM schedules ORDER BY stack, instance").compactMap { row in
            guard let body = row[0].text, let value = try? JSON.parse(body) else { return nil }
            return try? ScheduleMark(value)
        }
    }

    /// On the disk when it returns if one of them is urgent.
    func save(_ marks: [ScheduleMark]) throws(DatabaseError) {
        let database = database
        let write = { () throws(DatabaseError) in
            for mark in marks {
                try database.run(
                    "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)",
                    [.text(mark.instance.service.stack), .text(mark.instance.name), .text(JSON.text(of: mark.value))])
            }
        }
        if marks.contains(where: \.isUrgent) { try synced(write) } else { try database.transaction(write) }
    }

    func forgetMarks(of stack: String) throws(DatabaseError) {
        try database.run("DELETE FROM schedules WHERE stack = ?", [.text(stack)])
    }
}
