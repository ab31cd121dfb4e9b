// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A launch that a former daemon had closed and that the keeper still holds, as nobody had told it that history knows the end.
/// It has no place any more; all that is left to do is to tell its end, if it was not told, and to release it.
public struct ClosedLaunch: Equatable, Sendable {
    public var launch: LaunchID
    /// Whose it was, as the host knows it; nil when that was lost.
    public var instance: InstanceID?
    public var fault: Fault?
    public var exit: Exit?
    public init(launch: LaunchID, instance: InstanceID?, fault: Fault? = nil, exit: Exit? = nil) {
        self.launch = launch
        self.instance = instance
        self.fault = fault
        self.exit = exit
    }
}

extension Fleet {
    /// What was decided on these ends stands; nothing follows from them here.
    mutating func letGo(_ closed: [ClosedLaunch], told: Set<LaunchID>, at now: Moment) {
        for one in closed {
            if !told.contains(one.launch) {
                let cause = one.exit?.text ?? one.fault.map { "never executed: \($0.text)" }
                tellEnd(of: one.launch, one.instance, one.exit, cause ?? "its end is not known", at: now)
            }
            pending.append(.release(one.launch))
        }
    }
}
