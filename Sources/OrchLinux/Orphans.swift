// SPDX-License-Identifier: Apache-2.0

/// Processes of services that nobody supervises any more: their keeper was killed.
public enum Orphans {
    /// How many live that bear the mark of a run directory (absolute). Only those of the caller can be told by others than root.
    public static func count(run: String) -> Int {
        let mark = "ORCH_RUN=\(RunDirectory.mark(of: run))"
        return ProcessTable.scan().count { entry in
            entry.isAlive && ProcessTable.environment(of: entry.pid)?.contains(mark) ?? false
        }
    }
}
