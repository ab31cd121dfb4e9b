// SPDX-License-Identifier: Apache-2.0

/// The contents of a `ServiceSpec`, which hands out each of them and says what it is.
@usableFromInline struct ServiceFacts: Equatable, Sendable {
    @usableFromInline var name: String
    @usableFromInline var kind: ServiceSpec.Kind
    @usableFromInline var title = ""
    @usableFromInline var details = ""
    @usableFromInline var labels: [EnvironmentEntry] = []
    @usableFromInline var command: CommandLine
    @usableFromInline var workingDirectory: String
    @usableFromInline var environment: [EnvironmentEntry] = []
    @usableFromInline var unset: [String] = []
    @usableFromInline var secrets: [SecretUse] = []
    @usableFromInline var user: String?
    @usableFromInline var process = ProcessSpec()
    @usableFromInline var resources = ResourceLimits()
    @usableFromInline var enabled = true
    @usableFromInline var profiles: [String] = []
    @usableFromInline var replicas = 1
    @usableFromInline var dependsOn: [Dependency] = []
    @usableFromInline var health = HealthSpec()
    @usableFromInline var ready: ReadySpec?
    @usableFromInline var startTimeout: Duration?
    @usableFromInline var restart: RestartPolicy
    @usableFromInline var successExitCodes: [ExitPattern] = [.code(0)]
    @usableFromInline var onExit = ExitActions()
    @usableFromInline var essential = false
    @usableFromInline var locks: [String] = []
    @usableFromInline var stop: StopSpec
    @usableFromInline var reload: ReloadSpec?
    @usableFromInline var configFiles: [ConfigFile] = []
    @usableFromInline var hooks = Hooks()
    @usableFromInline var logging = LoggingSpec()
    @usableFromInline var ports: [PortSpec] = []
    @usableFromInline var sockets: [SocketSpec] = []
    @usableFromInline var watch: [WatchRule] = []
    @usableFromInline var schedule: ScheduleSpec?
    @usableFromInline var update = UpdatePolicy()
    @usableFromInline var renamedFrom: String?
    /// `ServiceSpec.definitionDigest`, once it was worked out; whoever writes to a field takes it away.
    @usableFromInline var memo = DefinitionMemo()

    init(
        name: String, kind: ServiceSpec.Kind, command: CommandLine, workingDirectory: String, startTimeout: Duration?,
        restart: RestartPolicy, stop: StopSpec
    ) {
        self.name = name
        self.kind = kind
        self.command = command
        self.workingDirectory = workingDirectory
        self.startTimeout = startTimeout
        self.restart = restart
        self.stop = stop
    }
}

extension ServiceSpec {
    @inlinable public var name: String {
        get { facts.span[0].name }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].name
        }
    }
    @inlinable public var kind: Kind {
        get { facts.span[0].kind }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].kind
        }
    }
    @inlinable public var title: String {
        get { facts.span[0].title }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].title
        }
    }
    @inlinable public var details: String {
        get { facts.span[0].details }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].details
        }
    }
    @inlinable public var labels: [EnvironmentEntry] {
        get { facts.span[0].labels }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].labels
        }
    }
    @inlinable public var command: CommandLine {
        get { facts.span[0].command }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].command
        }
    }
    /// Absolute.
    @inlinable public var workingDirectory: String {
        get { facts.span[0].workingDirectory }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].workingDirectory
        }
    }
    /// Declared variables, merged from all their sources, sorted by name; values in the form of a `LaunchTemplate`. What is inherited is
    /// not here.
    @inlinable public var environment: [EnvironmentEntry] {
        get { facts.span[0].environment }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].environment
        }
    }
    /// Names that this service unsets, sorted.
    @inlinable public var unset: [String] {
        get { facts.span[0].unset }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].unset
        }
    }
    /// Sorted by name; where their values are, never the values.
    @inlinable public var secrets: [SecretUse] {
        get { facts.span[0].secrets }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].secrets
        }
    }
    /// `name` or `name:group`; nil runs as the daemon's own user.
    @inlinable public var user: String? {
        get { facts.span[0].user }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].user
        }
    }
    @inlinable public var process: ProcessSpec {
        get { facts.span[0].process }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].process
        }
    }
    /// Limits of its whole tree.
    @inlinable public var resources: ResourceLimits {
        get { facts.span[0].resources }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].resources
        }
    }
    @inlinable public var enabled: Bool {
        get { facts.span[0].enabled }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].enabled
        }
    }
    /// The profiles that would enable it, when it is outside of all of them; otherwise nothing.
    @inlinable public var profiles: [String] {
        get { facts.span[0].profiles }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].profiles
        }
    }
    /// 0...`Limits.replicas`.
    @inlinable public var replicas: Int {
        get { facts.span[0].replicas }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].replicas
        }
    }
    /// Sorted by what they name.
    @inlinable public var dependsOn: [Dependency] {
        get { facts.span[0].dependsOn }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].dependsOn
        }
    }
    @inlinable public var health: HealthSpec {
        get { facts.span[0].health }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].health
        }
    }
    @inlinable public var ready: ReadySpec? {
        get { facts.span[0].ready }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].ready
        }
    }
    /// A service must be ready by then, a task must be over (`timeout`); nil waits for ever.
    @inlinable public var startTimeout: Duration? {
        get { facts.span[0].startTimeout }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].startTimeout
        }
    }
    @inlinable public var restart: RestartPolicy {
        get { facts.span[0].restart }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].restart
        }
    }
    @inlinable public var successExitCodes: [ExitPattern] {
        get { facts.span[0].successExitCodes }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].successExitCodes
        }
    }
    /// Asked before `restart`.
    @inlinable public var onExit: ExitActions {
        get { facts.span[0].onExit }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].onExit
        }
    }
    /// When it is done or has failed for good, the stack stops.
    @inlinable public var essential: Bool {
        get { facts.span[0].essential }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].essential
        }
    }
    /// Names that only one launch of this daemon has at a time, sorted; one with a `/` is an absolute path, on which flock(2) is taken too.
    @inlinable public var locks: [String] {
        get { facts.span[0].locks }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].locks
        }
    }
    @inlinable public var stop: StopSpec {
        get { facts.span[0].stop }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].stop
        }
    }
    /// Nil: nobody knows how.
    @inlinable public var reload: ReloadSpec? {
        get { facts.span[0].reload }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].reload
        }
    }
    /// Sorted by path, each once.
    @inlinable public var configFiles: [ConfigFile] {
        get { facts.span[0].configFiles }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].configFiles
        }
    }
    /// Commands around its life.
    @inlinable public var hooks: Hooks {
        get { facts.span[0].hooks }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].hooks
        }
    }
    @inlinable public var logging: LoggingSpec {
        get { facts.span[0].logging }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].logging
        }
    }
    @inlinable public var ports: [PortSpec] {
        get { facts.span[0].ports }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].ports
        }
    }
    /// Opened for it, in the order in which its processes get them.
    @inlinable public var sockets: [SocketSpec] {
        get { facts.span[0].sockets }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].sockets
        }
    }
    /// Files whose change does something to it.
    @inlinable public var watch: [WatchRule] {
        get { facts.span[0].watch }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].watch
        }
    }
    /// When it runs by itself; for tasks.
    @inlinable public var schedule: ScheduleSpec? {
        get { facts.span[0].schedule }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].schedule
        }
    }
    /// Means nothing for a task.
    @inlinable public var update: UpdatePolicy {
        get { facts.span[0].update }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].update
        }
    }
    /// The name it had: an apply that finds it under that name moves it.
    @inlinable public var renamedFrom: String? {
        get { facts.span[0].renamedFrom }
        _modify {
            facts[0].memo.digest = nil
            yield &facts[0].renamedFrom
        }
    }
}

/// Something that is known of the other fields. It says nothing that they do not, and takes no part in a comparison.
@usableFromInline struct DefinitionMemo: Equatable, Sendable {
    @usableFromInline var digest: Digest?

    init() {}

    @usableFromInline static func == (a: DefinitionMemo, b: DefinitionMemo) -> Bool { true }
}
