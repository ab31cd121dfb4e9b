// SPDX-License-Identifier: Apache-2.0

/// A log file whose file system does not answer: whoever writes it waits in the kernel, and so do the lines that go the same way.
public struct LogHang: Equatable, Sendable {
    /// Absolute.
    public var file: String
    /// For how long the file system has not answered.
    public var waited: Duration
    /// Whose lines wait in their pipes meanwhile, sorted.
    public var instances: [InstanceID]

    public init(file: String, waited: Duration, instances: [InstanceID]) {
        self.file = file
        self.waited = waited
        self.instances = instances
    }

    /// The fact, for somebody whose lines wait.
    public var text: String { "log \(file) has taken no byte for \(waited.brief): its file system does not answer" }

    /// The fact and all whom it concerns, for the history. `began` by the clock on the wall.
    public func remark(since began: WallTime) -> String {
        let fact = "log \(file) has taken no byte since \(began.rfc3339): its file system does not answer"
        let named = instances.prefix(Self.namedAtMost).map { "\($0.service.stack)/\($0.name)" }
        guard !named.isEmpty else { return fact }
        let more = instances.count - named.count
        let whose = named.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        return "\(fact); lines of \(whose) wait in their pipes"
    }

    private static let namedAtMost = 5
}
