// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What orch can promise of limits where the kernel does not hold them, in the words of every page and command that says so.
enum SampledLimits {
    /// `memory, cpus`.
    static func promise(_ names: [String]) -> String {
        "limits of \(names.joined(separator: ", ")) are looked at every \(Limits.resourceLook.text), not held by the kernel:"
            + " what comes and goes between two looks is not seen"
    }
}

extension LimitStatus {
    /// The kernel could hold a tree to it, and does not. Descriptors it can't count for a tree; threads it counts with processes.
    var isOnlySampled: Bool {
        switch resource {
        case .memory, .cpus, .pids: !isHeld
        case .files, .threads: false
        }
    }
}
