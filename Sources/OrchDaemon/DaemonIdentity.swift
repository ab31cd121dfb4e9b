// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// What the daemon is told of itself once: it has no way to ask.
public struct DaemonIdentity: Sendable {
    public var pid: Int32
    /// Its effective user: only this one and root may speak to it.
    public var uid: UInt32
    public var startedAt: WallTime
    /// Why this program runs and not the one that was to; nil when it is.
    public var fallback: String?
    /// Where an instance's two outputs go, for status; nil where nothing is written.
    public var logPaths: @Sendable (InstanceID, LoggingSpec) -> (stdout: String?, stderr: String?)
    public init(
        pid: Int32, uid: UInt32, startedAt: WallTime,
        logPaths: @escaping @Sendable (InstanceID, LoggingSpec) -> (stdout: String?, stderr: String?) = { _, _ in
            (nil, nil)
        }
    ) {
        self.pid = pid
        self.uid = uid
        self.startedAt = startedAt
        self.logPaths = logPaths
    }
    /// Whether the kernel's word for who is there is good enough.
    func admits(_ peer: Peer) -> Bool { peer.uid == uid || peer.uid == 0 }
}
