// SPDX-License-Identifier: Apache-2.0

extension Stack {
    /// Patterns of what is to be masked in the log of a service of this stack. O(1) unless it appends, else O(services).
    public func redactions(for service: ServiceSpec) -> [String] { shared(by: service, \.logging.redact) }

    /// Absolute paths of the secrets that are to be masked there. O(1) unless it appends, else O(services).
    public func secretFiles(for service: ServiceSpec) -> [String] {
        shared(by: service) { $0.secrets.map(\.file) }
    }

    /// Its own ones, and those of every service that appends to the same file, since lines there may be another one's.
    private func shared(by service: ServiceSpec, _ own: (ServiceSpec) -> [String]) -> [String] {
        let paths = service.logging.appendedPaths
        var all = own(service)
        if paths.isEmpty { return all }
        for other in services where !own(other).isEmpty {
            guard other.logging.appendedPaths.contains(where: paths.contains) else { continue }
            for one in own(other) where !all.contains(one) { all.append(one) }
        }
        return all
    }
}

extension LoggingSpec {
    /// The files that others may write to as well.
    fileprivate var appendedPaths: [String] {
        [stdout, stderr].compactMap { if case .append(let path) = $0 { path } else { nil } }
    }
}
