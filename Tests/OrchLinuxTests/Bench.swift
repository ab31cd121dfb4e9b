// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import OrchDaemon
import OrchEngine
import OrchModel
import Testing

@testable import OrchLinux

struct Missing: Error, CustomStringConvertible { var description: String }

/// A real keeper with a LinuxHost of the test's own as its daemon: keeper-probe is the daemon's body and lends its descriptors.
final class Bench {
    let directory: String
    private(set) var host: LinuxHost
    private(set) var inheritance: LinuxHost.Inheritance
    /// What the present host found in the run directory.
    private(set) var notes: [LaunchNote]
    private(set) var isNewBoot: Bool
    private var keeperPid: Int32
    private var body: Body
    private let meeting: Descriptor
    private let forcesSession: Bool
    private var inputs: [Input] = []

    static let patience = Duration.seconds(30)

    /// keeper-probe, which the keeper takes for its daemon.
    private struct Body {
        var pid: Int32
        var keeper: Int32
        var listener: Int32
        var connection: Int32
    }

    init(session: Bool) throws {
        forcesSession = session
        directory = try Bench.makeDirectory()
        let socket = directory + "/meeting"
        meeting = try Descriptor("listen", unsafe corch_unix_listen(socket, 8))
        keeperPid = try Bench.execute(
            [
                Bench.tool("orch-keeper"), "--foreground", "--socket", directory + "/orch.sock", "--lock",
                directory + "/lock", "--daemon",
                Bench.tool("keeper-probe"), "--", socket,
            ], log: directory + "/keeper.log")
        body = try Bench.meet(meeting.number)
        host = try Bench.host(body, directory, session)
        (notes, isNewBoot) = (host.notes, host.isNewBoot)
        inheritance = try host.takeOver { { _ in LoggingSpec() } }
    }

    deinit {
        for launch in host.records.keys { host.perform(.effect(.kill(launch))) }
        let end = Clock.now.instant + Bench.patience
        while host.records.values.contains(where: { !$0.isEmpty || !$0.isOver }), Clock.now.instant < end,
            !host.isKeeperLost
        {
            _ = host.pass(until: end)
        }
        host.pump.stop()
        for pid in [keeperPid, body.pid] { Glibc.kill(pid, SIGKILL) }
        var status: Int32 = 0
        _ = unsafe waitpid(keeperPid, &status, 0)
        for number in [body.connection] { _ = close(number) }
        host.groups?.remove()
        guard let remover = try? Bench.execute(["/bin/rm", "-rf", directory], log: "/dev/null") else { return }
        _ = unsafe waitpid(remover, &status, 0)
    }

    /// The daemon dies as by `kill -9`, and another one takes over.
    /// `beforeItHears`: done after the keeper has handed over and before the next one reads it.
    func replaceDaemon(meanwhile: () throws -> Void = {}, beforeItHears: () throws -> Void = {}) throws {
        host.pump.stop()
        Glibc.kill(body.pid, SIGKILL)
        _ = close(body.connection)
        try meanwhile()
        body = try Bench.meet(meeting.number)
        inputs = []
        host = try Bench.host(body, directory, forcesSession)
        (notes, isNewBoot) = (host.notes, host.isNewBoot)
        try beforeItHears()
        inheritance = try host.takeOver { { _ in LoggingSpec() } }
    }

    private static func host(_ body: Body, _ directory: String, _ session: Bool) throws -> LinuxHost {
        let run = try RunDirectory(directory + "/run")
        var parts = LinuxHost.Parts(
            keeper: Descriptor(owning: body.keeper), listener: Descriptor(owning: body.listener), run: run,
            state: directory + "/state")
        parts.forcesSessionTracking = session
        parts.edgeProgram = tool("orch-edge")
        return try LinuxHost(parts)
    }

    /// Says what no keeper understands: it hangs up.
    func babble() {
        let words = [UInt8](repeating: 255, count: 16)
        _ = unsafe send(host.keeper.number, words, words.count, 0)
    }

    func killKeeper() { Glibc.kill(keeperPid, SIGKILL) }

    // MARK: Doing and waiting

    func perform(_ effect: Effect) { host.perform(.effect(effect)) }

    /// The next input that `pick` wants; what came before it and was not wanted stays.
    func until<Wanted>(_ what: String, _ pick: (Input) -> Wanted?) throws -> Wanted {
        let end = Clock.now.instant + Bench.patience
        var looked = 0
        while true {
            while looked < inputs.count {
                if let wanted = pick(inputs[looked]) {
                    inputs.remove(at: looked)
                    return wanted
                }
                looked += 1
            }
            guard Clock.now.instant < end else { throw Missing(description: "no \(what); there is \(inputs)") }
            inputs += host.wait(until: end)
        }
    }

    /// One short turn of the loop; what came is kept for `until`.
    func turn() { inputs += host.wait(until: host.now.instant + .milliseconds(20)) }

    func event<Wanted>(_ what: String, _ pick: (Event) -> Wanted?) throws -> Wanted {
        try until(what) { if case .event(let event) = $0 { pick(event) } else { nil } }
    }

    /// Waits for exactly this.
    func expect(_ event: Event) throws { try self.event("\(event)") { $0 == event ? () : nil } }

    func launched(_ launch: UInt64) throws -> Int32 {
        try event("start of \(launch)") { if case .launched(LaunchID(launch), let pid, _, _) = $0 { pid } else { nil } }
    }

    func failure(of launch: UInt64) throws -> Fault {
        try event("failure of \(launch)") {
            if case .launchFailed(LaunchID(launch), let fault, _) = $0 { fault } else { nil }
        }
    }

    func exit(of launch: UInt64) throws -> Exit {
        try event("end of \(launch)") { if case .exited(LaunchID(launch), let exit) = $0 { exit } else { nil } }
    }

    func result(of launch: UInt64, round: UInt64) throws -> ProbeResult {
        try event("answer \(round)") {
            if case .probed(LaunchID(launch), _, round, let result) = $0 { result } else { nil }
        }
    }

    /// An order for a service `web` of stack `shop`; `change` makes it what the test needs.
    func order(_ launch: UInt64, _ words: [String], _ change: (inout ServiceSpec) -> Void = { _ in }) -> LaunchOrder {
        var spec = ServiceSpec(name: "web", command: .exec(words), workingDirectory: directory)
        change(&spec)
        let path = EnvironmentEntry("PATH", "/usr/local/bin:/usr/bin:/bin")
        return LaunchOrder(
            launch: LaunchID(launch), instance: InstanceID(service: ServiceID(stack: "shop", service: "web")),
            spec: spec, label: "web",
            inherited: [path], fileLimit: nil, because: "a test")
    }

    func launch(_ launch: UInt64, _ words: [String], _ change: (inout ServiceSpec) -> Void = { _ in }) {
        perform(.launch(order(launch, words, change)))
    }

    /// Closes a launch that is over and returns what it wrote to standard output.
    func output(of launch: UInt64) throws -> String {
        perform(.release(LaunchID(launch)))
        try expect(.drained(LaunchID(launch)))
        return SmallFile.text(directory + "/state/logs/shop/web/stdout.log") ?? ""
    }

    /// Living processes of this bench's launches, whoever their parent is.
    var leftBehind: [String] {
        ProcessTable.scan().filter { entry in
            entry.isAlive && (ProcessTable.environment(of: entry.pid) ?? []).contains("ORCH_RUN=\(host.run.mark)")
        }.map { "\($0.pid) \($0.command)" }
    }

    // MARK: Surroundings

    private static func meet(_ meeting: Int32) throws -> Body {
        guard ready(meeting) else { throw Missing(description: "no daemon") }
        let connection = try Descriptor("accept", corch_accept(meeting))
        guard ready(connection.number) else { throw Missing(description: "the daemon says nothing") }
        var message: (Int32, Int32, Int32) = (0, 0, 0)
        var numbers: (Int32, Int32) = (-1, -1)
        var count: Int32 = 2
        let length = unsafe withUnsafeMutableBytes(of: &message) { bytes in
            unsafe withUnsafeMutableBytes(of: &numbers) { numbers in
                unsafe corch_receive(
                    connection.number, bytes.baseAddress, 12, numbers.assumingMemoryBound(to: Int32.self).baseAddress,
                    &count, 0)
            }
        }
        guard length == 12, count == 2 else { throw Missing(description: "the daemon says \(length) bytes") }
        return Body(pid: message.0, keeper: numbers.0, listener: numbers.1, connection: connection.release())
    }

    private static func ready(_ descriptor: Int32) -> Bool {
        var one = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&one, 1, 30_000) == 1
    }

    /// The build directory's program, next to the test bundle.
    static func tool(_ name: String) -> String {
        let own = SmallFile.link("/proc/self/exe") ?? ""
        return own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex) + name
    }

    static func makeDirectory() throws -> String {
        var template = Array("/tmp/orch-host-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw SystemError("mkdtemp", code: errno) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Starts a program with `/dev/null` as input and `log` as output.
    private static func execute(_ arguments: [String], log: String) throws -> Int32 {
        let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
        defer { unsafe actions.deallocate() }
        unsafe posix_spawn_file_actions_init(actions)
        defer { unsafe posix_spawn_file_actions_destroy(actions) }
        unsafe posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(actions, 1, 2)
        var pid: Int32 = 0
        var strings = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { unsafe strings.forEach { unsafe free($0) } }
        let code = unsafe posix_spawn(&pid, arguments[0], actions, nil, &strings, environ)
        guard code == 0 else { throw SystemError("posix_spawn \(arguments[0])", code: code) }
        return pid
    }
}
