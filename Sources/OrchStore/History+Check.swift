// SPDX-License-Identifier: Apache-2.0

/// The whole file is read once a boot, which takes some 3 us an event: no death of a program damages it (sqlite.org/atomiccommit.html),
/// only what ends with a boot does, or somebody who writes into it, which is found where it is read. A daemon that is killed is back
/// the sooner.
extension History {
    /// In `meta`: the boot in which the file was found whole.
    private static let check = "checked_in_boot"

    /// Whether that was this one. A file that is not laid out, or too damaged to say so, was not checked.
    func isChecked(in boot: String) throws(DatabaseError) -> Bool {
        guard !boot.isEmpty else { return false }
        let tables = try database.run("SELECT name FROM sqlite_master WHERE name = 'meta'")
        guard !tables.isEmpty else { return false }
        let found = try database.run("SELECT number FROM meta WHERE key = ?", [.text(Self.check)]).first?.first?.int
        return found == Self.number(of: boot)
    }

    /// A full disk takes no note: then it is read again the next time.
    func noteCheck(in boot: String) {
        guard !boot.isEmpty, (try? isChecked(in: boot)) == false else { return }
        _ = try? database.run(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [.text(Self.check), .int(Self.number(of: boot))])
    }

    /// FNV-1a: the table has room for a number.
    private static func number(of boot: String) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in boot.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
