// SPDX-License-Identifier: Apache-2.0
import OrchModel

/// A host that has whatever a test says.
final class ScriptedExaminer: HostExaminer {
    var host = HostFacts()
    /// What stands in the way, by use and path; all else is free.
    var obstacles: [String: PathObstacle] = [:]
    /// For whom `obstacles` count; nil: for everybody.
    var stranger: String?
    var interpreters: [String: String] = [:]
    var fileSystems: [String: FileSystemFacts] = [:]
    var ports: [Int: PortObstacle] = [:]
    var sockets: [SocketSpec.Address: PortObstacle] = [:]
    var listeners: [ListenerFacts] = []
    var personFault: Fault?

    init() {
        host.kernel = "6.1.0"
        host.user = "ada"
        host.limits = [Ulimit(.nofile, soft: 1024, hard: 4096)]
        host.inotifyInstances = 128
        host.inotifyWatches = 8192
        host.groups.mount = "/sys/fs/cgroup"
        host.groups.group = "/sys/fs/cgroup/ada"
        host.groups.controllers = ["memory", "pids"]
        host.groups.limits = ["memory", "cpu", "pids"]
    }

    var processes: [Int32: ProcessFacts] = [:]
    var user: String { host.user }
    func process(_ mark: ProcessMark) -> ProcessFacts? { processes[mark.pid] }
    func facts(daemon: Int32?) -> HostFacts { host }
    func person(_ user: String?, adding groups: [String]) throws(Fault) -> Person? {
        if let personFault { throw personFault }
        return user.map { Person(name: $0, uid: 33, gid: 33, groups: []) }
    }
    func obstacle(to use: PathUse, of path: String, as person: Person?) -> PathObstacle? {
        guard stranger == nil || person?.name == stranger else { return nil }
        return obstacles["\(use.rawValue) \(path)"]
    }
    func interpreter(of path: String) -> String? { interpreters[path] }
    func fileSystem(of path: String) -> FileSystemFacts? { fileSystems[path] }
    func obstacle(to port: PortSpec) -> PortObstacle? { ports[port.port] }
    func obstacle(to address: SocketSpec.Address) -> PortObstacle? { sockets[address] }
    func listeners(of processes: [ProcessMark]) -> [ListenerFacts] { listeners }
}
