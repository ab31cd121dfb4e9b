// SPDX-License-Identifier: Apache-2.0

/// What orch can promise where it has no control groups (decision 7), in the words of every page and command that says so.
enum SessionHold {
    /// `InstanceStatus.tracking`.
    static let word = "session"
    static let promise =
        "processes are held by session, not by control group: one that leaves its session, its parent and its environment"
        + " between two looks is not seen, and outlives its service"
}
