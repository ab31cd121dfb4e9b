// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// A whole life as a value: what is applied, what is done and when, how each launch behaves, what goes wrong. Drawn from a seed or
/// written by hand; `run()` plays it, and playing it again gives the same trace.
public struct Scenario: Equatable, Sendable {
    /// Where all chance of the run itself comes from: jitter, the cutting of frames.
    public var seed: UInt64
    /// Everything that is ever applied. Acts name them by place.
    public var revisions: [Stack]
    public var acts: [Act]
    /// Launches that do not simply behave; sorted is not needed, the first that fits counts.
    public var quirks: [Quirk]

    public init(seed: UInt64, revisions: [Stack], acts: [Act], quirks: [Quirk] = []) {
        self.seed = seed
        self.revisions = revisions
        self.acts = acts
        self.quirks = quirks
    }
}

/// What the n-th launch of an instance does, if it is not simply good.
public struct Quirk: Equatable, Sendable {
    public var instance: InstanceID
    /// From 1; `each` is every launch that no other quirk is about.
    public var nth: Int
    public var life: SimulatedLife
    public static let each = 0
    public init(_ instance: InstanceID, nth: Int, _ life: SimulatedLife) {
        self.instance = instance
        self.nth = nth
        self.life = life
    }
}

/// Something that is done to the machine or asked of the daemon.
public struct Act: Equatable, Sendable {
    /// After the act before it.
    public var after: Duration
    public var deed: Deed
    public init(after: Duration, _ deed: Deed) {
        self.after = after
        self.deed = deed
    }
}

/// What is done.
public enum Deed: Equatable, Sendable {
    /// A client asks. It connects first when it is not connected; its frame comes in so many pieces.
    case ask(client: Int, Question, pieces: Int)
    /// A client leaves; in the middle of a frame if it is rude.
    case vanish(client: Int, isRude: Bool)
    /// Somebody who is no client of ours connects.
    case intrude(Intruder)
    /// The main process of an instance ends without orch's doing.
    case strike(InstanceID, Exit)
    /// Watched files of an instance's service change.
    case touch(InstanceID)
    /// The daemon dies after so many more outputs and writes; 0 is at once. What it last wrote to the ledger may be torn, and the next
    /// daemon may die after so many in its turn.
    case killDaemon(after: Int, tears: Bool, again: Int?)
    /// The keeper dies, and with it every way to hear of processes; the daemon follows.
    case killKeeper
    /// Power is cut: everything that is not synced is gone.
    case reboot
    /// SIGTERM to the daemon.
    case terminate
    /// The wall clock steps.
    case step(by: Duration)
    /// The machine sleeps: the wall clock goes on, the monotonic one does not.
    case suspend(Duration)
    /// The next wake-up comes so much too late.
    case lag(Duration)
    /// For so long something that is no service is not there, or a lock is somebody else's.
    case lose(OutsideNeed, for: Duration)
    /// For so long the disk takes nothing.
    case fillDisk(Duration)
    /// For so long the run directory takes nothing: notes are torn, launches lack what they need.
    case fillRun(Duration)
    /// History is damaged when it is next opened: events are lost, departures too unless they are rescued.
    case damageHistory(rescues: Bool)
    /// Old news of launches that are over comes again.
    case echo
}

/// What a client asks; stacks by their revision's place.
public enum Question: Equatable, Sendable {
    case apply(revision: Int)
    /// Apply with `--rollback-on-failure`.
    case tryOut(revision: Int, within: Duration)
    case diff(revision: Int)
    case command(Command)
}

/// Who connects and is no client of ours.
public enum Intruder: Equatable, Sendable {
    /// Another user, who is turned away.
    case stranger
    /// A program of another version, which may look and not touch.
    case otherVersion
    /// Bytes that are no frames.
    case noise
}
