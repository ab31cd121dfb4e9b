// SPDX-License-Identifier: Apache-2.0

extension Stack {
    /// What is to be masked in the log of a service of this stack: its own patterns, and those of every service that appends to the same
    /// file, since lines there may be another one's. O(1) unless it appends, else O(services).
    public func redactions(for service: ServiceSpec) -> [String] {
        let shared = service.logging.appendedPaths
        if shared.isEmpty { return service.logging.redact }
        var patterns = service.logging.redact
        for other in services where !other.logging.redact.isEmpty {
            guard other.logging.appendedPaths.contains(where: shared.contains) else { continue }
            for pattern in other.logging.redact where !patterns.contains(pattern) { patterns.append(pattern) }
        }
        return patterns
    }
}

extension LoggingSpec {
    /// The files that others may write to as well.
    fileprivate var appendedPaths: [String] {
        [stdout, stderr].compactMap { if case .append(let path) = $0 { path } else { nil } }
    }
}
