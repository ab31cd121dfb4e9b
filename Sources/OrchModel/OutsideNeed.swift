// SPDX-License-Identifier: Apache-2.0

/// Something that is no service, which a start may wait for; written as a name in `depends_on`.
public enum OutsideNeed: Hashable, Sendable {
    /// Something accepts connections at `host:port`.
    case tcp(String)
    /// A GET of this URL is answered with a status from 200 to 399.
    case http(String)
    /// There is something at this absolute path.
    case file(String)
    /// flock(2) can be taken on what is at this absolute path; not in `depends_on`, but for the sake of `locks`.
    case lock(String)

    /// Reads `text`; nil for the name of a service.
    public init?(_ text: String) {
        if text.hasPrefix("tcp://") {
            self = .tcp(String(text.dropFirst(6)))
        } else if text.hasPrefix("http://") || text.hasPrefix("https://") {
            self = .http(text)
        } else if text.hasPrefix("file:/") {
            self = .file(String(text.dropFirst(5)))
        } else {
            return nil
        }
    }

    /// As it stands in a manifest.
    public var text: String {
        switch self {
        case .tcp(let endpoint): "tcp://\(endpoint)"
        case .http(let url): url
        case .file(let path): "file:\(path)"
        case .lock(let path): "lock \(path)"
        }
    }
}
