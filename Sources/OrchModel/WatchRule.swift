// SPDX-License-Identifier: Apache-2.0

/// Files whose change does something to a service.
public struct WatchRule: Equatable, Sendable {
    /// What a change does.
    public enum Action: Equatable, Sendable {
        case restart, reload
        case signal(Signal)
        case command(CommandLine)
    }
    /// Absolute; a file, or a folder with all below it.
    public var path: String
    /// Patterns of names that count, and of those that don't.
    public var include = ["*"]
    public var ignore: [String] = []
    /// So long nothing more must change before anything is done.
    public var debounce = Duration.seconds(2)
    public var action = Action.restart
    /// A restart goes on to the services that need this one.
    public var cascade = false

    public init(path: String) { self.path = path }
}
