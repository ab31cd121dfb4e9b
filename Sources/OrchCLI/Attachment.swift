// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// Whom somebody wants to attach to, and from where on they have not seen it.
public struct Attachment: Equatable, Sendable {
    /// How far one of its outputs was seen: so many bytes of that file.
    public struct Place: Equatable, Sendable {
        /// Nil: both in one.
        public var stream: LogStreamKind?
        public var path: String
        /// Of the file: another one of that name is another place.
        public var inode: UInt64
        public var offset: Int64
        public init(_ stream: LogStreamKind?, path: String, inode: UInt64, offset: Int64) {
            self.stream = stream
            self.path = path
            self.inode = inode
            self.offset = offset
        }
    }

    public var launch: LaunchID
    /// Of its log, that are shown first.
    public var lines: Int
    /// Where one that was cut off goes on, instead.
    public var seen: [Place]?
    /// The service's terminal is to be as large as this one. Who comes again after the daemon was replaced said so before, and somebody else
    /// may have said another size since.
    public var saysSize = true

    public init(_ launch: LaunchID, lines: Int) {
        self.launch = launch
        self.lines = lines
    }

    /// Why it is over.
    public enum End: Equatable, Sendable {
        /// By the keys for it, or there is nothing more to be typed.
        case detached
        /// Ctrl-C where it is no key of the service's, SIGTERM, SIGHUP.
        case interrupted
        /// The other side closed it: the service has ended, or the daemon was replaced.
        case hungUp([Place])
        /// Nobody listens: there is nothing to attach to, or no daemon at the moment.
        case unreachable
        case refused(reason: String, remedy: String)
    }
}

/// Ctrl-P Ctrl-Q in what is typed, as Docker has it. Nothing in it but a Ctrl-P waits, for the next key.
public struct DetachKeys: Equatable, Sendable {
    private static let (first, second): (UInt8, UInt8) = (0x10, 0x11)
    private var hasFirst = false
    public init() {}

    /// What goes on to the service; nil behind which they were typed.
    public mutating func take(_ typed: [UInt8]) -> (passed: [UInt8], isDetached: Bool) {
        var passed: [UInt8] = []
        for byte in typed {
            if hasFirst, byte == Self.second { return (passed, true) }
            if hasFirst { passed.append(Self.first) }
            hasFirst = byte == Self.first
            if !hasFirst { passed.append(byte) }
        }
        return (passed, false)
    }
}
