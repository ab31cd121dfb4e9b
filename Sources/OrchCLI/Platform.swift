// SPDX-License-Identifier: Apache-2.0
public import OrchModel
public import OrchWire

/// The machine, as the commands see it: everything that they know of the world and everything that they do to it. Linux is
/// one; a script is another, and every command is tested against it.
public protocol Platform: AnyObject {
    var now: Moment { get }
    /// How far the local clock is ahead of UTC at a time (localtime(3)).
    func localOffset(at time: WallTime) -> Duration
    /// Absolute.
    var workingDirectory: String { get }
    /// The environment of the command, in its order.
    var environment: [EnvironmentEntry] { get }
    /// The soft RLIMIT_NOFILE of this process.
    var fileLimit: UInt64? { get }
    /// Absolute: where the daemon keeps what outlives a boot.
    var stateDirectory: String { get }
    /// Absolute: where it keeps what dies with a boot.
    var runDirectory: String { get }

    /// Nil when it is no terminal.
    func terminal(of stream: OutputStream) -> TerminalSize?
    /// Whether a person can be asked.
    var canAsk: Bool { get }
    /// One line of standard input without its newline; nil at its end.
    func readLine() -> String?
    /// Writes all of it. False when nobody reads any more (EPIPE); anything else that stands in the way is thrown.
    @discardableResult
    func write(_ bytes: [UInt8], to stream: OutputStream) throws(Fault) -> Bool

    /// The content of a file, or of standard input for `-`. What is missing has `ENOENT` in the reason of its fault.
    func read(_ path: String) throws(Fault) -> [UInt8]
    /// Makes or replaces a file of this name in a folder, which is made with those above it where there is none.
    func write(_ bytes: [UInt8], toFile name: String, in folder: String) throws(Fault)
    /// The key of this state directory, by which digests of secrets are made; nil when it has none yet and none is to be made.
    func secretKey(making isToBeMade: Bool) throws(Fault) -> [UInt8]?
    /// The last bytes of a file, at most `limit`; nil when it can't be read.
    func readTail(of path: String, limit: Int) -> [UInt8]?
    /// The names in a folder, sorted; empty when there is none.
    func names(in folder: String) -> [String]
    /// To read logs from.
    var logFiles: any LogFiles { get }
    /// Where a line matches a POSIX extended regular expression (regex(7)).
    func pattern(_ expression: String) throws(Fault) -> LineFinder
    func isFile(_ path: String) -> Bool
    /// Whether this host has a user of that name or number; true when that can't be asked.
    func isKnownUser(_ name: String) -> Bool
    /// Whether this host has the time zone.
    func isKnownTimeZone(_ name: String) -> Bool
    /// Looks at this host for what will not work.
    var examiner: any HostExaminer { get }

    /// A new connection to the daemon; nil when none runs.
    func connect() throws(Fault) -> ConnectionID?
    func send(_ bytes: [UInt8], to connection: ConnectionID) throws(Fault)
    func close(_ connection: ConnectionID)
    /// How many processes of services live; asked only when no daemon runs.
    var orphanCount: Int { get }
    /// Starts the daemon and returns when it listens.
    func startDaemon() throws(Fault)
    /// The keeper and the daemon beside this program, for a running daemon to be replaced by. They are run and asked; throws what
    /// can't run here, is of another version or can't read the state.
    func examinePrograms() throws(Fault) -> Upgrade

    /// Executes words in place of this program, with the environment, folder, user and limits of a living process of a service. Returns
    /// only when that can't be done, and why: the step is `execute` where it was the command itself.
    func become(_ words: [String], beside process: ProcessMark) -> Fault

    /// Shows what a launch writes, and gives it what is typed; returns when that is over. A terminal of a service's gets every key, and this one
    /// is as it was afterwards, whatever ends it. Blocks.
    func attach(_ attachment: Attachment) throws(Fault) -> Attachment.End

    /// Plays a stack on a machine in memory: touches nothing, and blocks only as long as it computes.
    func play(_ rehearsal: Rehearsal) -> RehearsalScore

    /// From now on Ctrl-C (and SIGTERM) comes as a wakeup and no longer ends the program.
    func catchInterrupts()
    /// From now on what is typed comes as wakeups, key by key, unseen; nothing where standard input is no terminal.
    func catchKeys()
    /// The terminal is as it was before `catchKeys`.
    func releaseKeys()
    /// Blocks until something happened or the deadline came, then returns what happened; empty at the deadline. Nil waits for ever.
    /// The only place that blocks, but for `readLine`, `startDaemon` and `attach`.
    func wait(until deadline: Instant?) -> [Wakeup]
}

/// Where output goes.
public enum OutputStream: Sendable { case output, errors }

/// A connection to the daemon, by a number that is never used again.
public struct ConnectionID: Hashable, Sendable {
    public var number: Int
    public init(_ number: Int) { self.number = number }
}

/// Why a wait ended.
public enum Wakeup: Equatable, Sendable {
    case received(ConnectionID, [UInt8])
    /// The other end is gone.
    case closed(ConnectionID)
    /// Ctrl-C or SIGTERM.
    case interrupted
    /// The terminal has another size.
    case resized
    /// Keys, as their bytes.
    case typed([UInt8])
}
