// SPDX-License-Identifier: Apache-2.0

internal import Glibc
public import OrchModel

extension DiskStore {
    /// Whether this version could go on with what is in the folder, for a program that only asks: nothing is made, set aside or written,
    /// and the daemon that it belongs to may be running. Throws what it could not open: above all what a later version wrote.
    public static func examine(_ directory: String) throws(Fault) {
        _ = try peek(at: directory)
        let path = "\(directory)/orch.db"
        guard unsafe access(path, F_OK) == 0 else { return }
        let found: [[Cell]]
        do throws(DatabaseError) {
            found = try Database(path: path, isReadOnly: true).run("PRAGMA user_version")
        } catch {
            // What is damaged is set aside by whichever daemon opens it next.
            if error.isDamage { return }
            throw Fault(step: "read", subject: path, reason: error.message)
        }
        guard let format = found.first?.first?.int, format > History.format else { return }
        throw Fault(
            step: "open", subject: path, reason: "it is of format \(format), written by a later orch",
            remedy: "keep the version that runs, or one after it")
    }
}
