// SPDX-License-Identifier: Apache-2.0

/// A whole manifest, resolved.
public struct Stack: Equatable, Sendable {
    public var name: String
    public var details = ""
    /// Sorted by name.
    public var services: [ServiceSpec]
    /// At this deadline of a whole stop every ladder skips to its kill.
    public var stopTimeout = Duration.seconds(120)

    /// How full the host may get; nothing is looked at where nothing is given.
    public var host = HostThresholds()

    public init(name: String, services: [ServiceSpec]) {
        self.name = name
        self.services = services.sorted { $0.name < $1.name }
    }

    public func service(_ name: String) -> ServiceSpec? {
        var low = 0
        var high = services.count
        while low < high {
            let middle = (low + high) / 2
            if services[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < services.count && services[low].name == name ? services[low] : nil
    }
}

/// What `apply` and `diff` hand to the daemon: the stack and what surrounds it.
public struct ApplyRequest: Equatable, Sendable {
    public var stack: Stack
    /// Absolute path of the (first) manifest: a stack remembers it.
    public var manifestPath: String
    /// What services inherit from the caller, by the names the stack allows; sorted by name.
    public var inherited: [EnvironmentEntry] = []
    /// The caller's soft RLIMIT_NOFILE, which services start with.
    public var fileLimit: UInt64?
    /// Who asked, for the history: what the kernel tells the daemon of its client counts, whatever the client says.
    public var author = ""
    /// Take over a stack of this name that another manifest owns.
    public var adopt = false
    /// Taken back by the daemon itself if something fails before everything has settled, or if that takes longer.
    public var rollbackWithin: Duration?
    /// Where each service and its keys stand in the text.
    public var positions = SourcePositions()
    /// What it was read from, if that can be read again. The daemon remembers it beside the stack; it is no part of a revision.
    public var origin: ManifestOrigin?

    public init(stack: Stack, manifestPath: String) {
        self.stack = stack
        self.manifestPath = manifestPath
    }
}
