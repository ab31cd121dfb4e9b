// SPDX-License-Identifier: Apache-2.0

public import OrchDaemon
public import OrchEngine
public import OrchModel

/// A host and the machine under it, as the cases of the contract need them: to order launches that behave in a known way, to do to them
/// what nobody asked the host for, and to put another daemon in its place. Each host that there is has one.
public protocol Stage: AnyObject {
    // The host itself.
    var now: Moment { get }
    func perform(_ output: Output)
    func wait(until deadline: Instant?) -> [Input]
    func usage(of launches: [LaunchID]) -> [Usage]
    func members(of launches: [LaunchID]) -> [LaunchMembers]

    // What is launched and asked.
    /// An order for a launch that behaves so.
    func order(_ launch: LaunchID, _ specimen: Specimen) -> LaunchOrder
    /// A question to such a launch, and a step of its ladder that is a command.
    func question(_ specimen: Specimen) -> Probe.Action
    func step(_ specimen: Specimen) -> StopSpec.Action
    /// Waits until a launch that was told to have started is as its specimen says: its child is born, its signals are ignored.
    func awaitBirth(of launch: LaunchID, _ specimen: Specimen) throws

    // What happens without the host.
    /// Ends the main process.
    func strike(_ launch: LaunchID, _ exit: Exit)
    /// What waits for a cue to say READY=1 gets it.
    func cue(_ launch: LaunchID)
    /// Somebody outside keeps the launch's output open.
    func holdOutput(of launch: LaunchID) throws
    /// The run directory takes no launch more.
    func blockRunDirectory() throws
    /// Living processes of all launches and of what serves them.
    var living: Int { get }
    /// Whether a signal can leave a core here.
    var dumpsCores: Bool { get }

    // The daemon.
    /// It dies at once; `torn` is what it was writing down. Then `meanwhile` happens, and then the next one wakes up: its host is the one
    /// that is asked from here on.
    func changeDaemon(torn: LaunchNote?, meanwhile: () -> Void) throws -> Recovery
    /// Somebody connects to the control socket.
    func connect() throws -> any Caller
}

/// The other end of a connection.
public protocol Caller: AnyObject {
    func send(_ bytes: [UInt8]) throws
    /// All that has come so far.
    var received: [UInt8] { get }
    /// The host has closed the connection, and `received` is all that there will be.
    var isCutOff: Bool { get }
    func hangUp()
}

/// What one launch does.
public struct Specimen: Equatable, Sendable {
    /// There is nothing to execute.
    public var isMissing = false
    /// It ends by itself so long after its start; nil stays.
    public var endsAfter: Duration?
    public var exit = Exit.code(0)
    /// Only SIGKILL ends it, and its child.
    public var isDeaf = false
    /// It has a child in a session of its own that outlives it by so long.
    public var childOutlives: Duration?
    /// It says READY=1 so long after its start; nil says nothing.
    public var readyAfter: Duration?
    /// It says READY=1 when it is asked to.
    public var isReadyOnCue = false
    /// Questions and steps fail, in these words.
    public var complaint: String?
    /// Questions and steps find no end.
    public var isSlow = false

    public init() {}

    public static let steady = Specimen()
    public static let deaf = Specimen { $0.isDeaf = true }
    public static let brief = Specimen { $0.endsAfter = .zero }
    public static let missing = Specimen { $0.isMissing = true }

    public init(_ change: (inout Specimen) -> Void) {
        self.init()
        change(&self)
    }
}

/// The contract is broken, and how.
public struct Breach: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
