// SPDX-License-Identifier: Apache-2.0
import OrchModel
import OrchSimulator
import OrchWire

@testable import OrchCLI

/// A machine whose daemon, terminal and clock follow a script: nothing in it blocks, and every run is the same.
final class ScriptedPlatform: Platform {
    /// What the daemon, or the person at the keyboard, does next.
    enum Step {
        case reply(Reply.Body)
        case pause(Duration)
        case interrupt
        /// While keys are caught.
        case typed(String)
        /// The daemon ends for good.
        case hangUp
        /// Another daemon takes its place.
        case replace
    }

    var now: Moment
    var environment: [EnvironmentEntry] = []
    var files: [String: String] = [:]
    var size: TerminalSize?
    var answerToQuestion: String?
    var isDaemonThere = true
    var orphanCount = 0
    var version = OrchVersion.text
    /// Why standard output can't be written.
    var outputFault: Fault?
    private(set) var daemonStarts = 0
    private(set) var output = ""
    private(set) var errors = ""
    private(set) var commands: [Command] = []
    /// What the daemon does when a command comes.
    var script: (Command) -> [Step]

    private var inbound = FrameBuffer()
    private var greeted = false
    private var pending: [(id: UInt64, step: Step)] = []
    private let connection = ConnectionID(1)

    init(terminal size: TerminalSize? = nil, script: @escaping (Command) -> [Step] = { _ in [] }) {
        self.size = size
        self.script = script
        now = Moment(instant: Instant(nanoseconds: 1_000_000_000_000), wall: Self.start)
    }

    /// 2026-01-31 09:05:00 UTC.
    static let start =
        CivilTime(year: 2026, month: 1, day: 31, hour: 9, minute: 5)?.wallTime ?? WallTime(nanoseconds: 0)

    func localOffset(at time: WallTime) -> Duration { .zero }
    var workingDirectory: String { "/home/ada/shop" }
    var fileLimit: UInt64? { 1024 }
    var stateDirectory: String { "/state" }
    var runDirectory: String { "/run/orch" }
    /// What was to be executed beside which process.
    private(set) var became: (words: [String], process: ProcessMark)?
    var becomingFault = Fault(step: "execute", subject: "", reason: "")
    func become(_ words: [String], beside process: ProcessMark) -> Fault {
        became = (words, process)
        return becomingFault
    }
    /// What comes of each attempt to attach, and what was attempted.
    var attachEnds: [Attachment.End] = []
    private(set) var attachments: [Attachment] = []
    func attach(_ attachment: Attachment) -> Attachment.End {
        attachments.append(attachment)
        return attachEnds.isEmpty ? .unreachable : attachEnds.removeFirst()
    }
    let scripted = ScriptedExaminer()
    var examiner: any HostExaminer { scripted }
    func terminal(of stream: OutputStream) -> TerminalSize? { size }
    /// What is printed from now on is all that there is.
    func forgetOutput() { output = "" }
    var canAsk: Bool { answerToQuestion != nil }
    func readLine() -> String? { answerToQuestion }

    func write(_ bytes: [UInt8], toFile name: String, in folder: String) throws(Fault) {
        files["\(folder)/\(name)"] = String(decoding: bytes, as: UTF8.self)
    }

    func write(_ bytes: [UInt8], to stream: OutputStream) throws(Fault) -> Bool {
        if stream == .output, let outputFault { throw outputFault }
        let text = String(decoding: bytes, as: UTF8.self)
        switch stream {
        case .output: output += text
        case .errors: errors += text
        }
        return true
    }

    func read(_ path: String) throws(Fault) -> [UInt8] {
        guard let text = files[path] else {
            throw Fault(step: "read", subject: path, reason: "no such file or directory (ENOENT)")
        }
        return Array(text.utf8)
    }
    var hasSecretKey = false
    func secretKey(making isToBeMade: Bool) -> [UInt8]? {
        hasSecretKey = hasSecretKey || isToBeMade
        return hasSecretKey ? [1, 2, 3] : nil
    }
    func readTail(of path: String, limit: Int) -> [UInt8]? { files[path].map { Array($0.utf8.suffix(limit)) } }
    func names(in folder: String) -> [String] {
        files.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }.sorted()
    }
    var logFiles: any LogFiles { self }
    /// Plain text stands for patterns; `[` for one that is none.
    func pattern(_ expression: String) throws(Fault) -> LineFinder {
        if expression == "[" { throw Fault(step: "read the pattern", subject: "[", reason: "unmatched [") }
        let wanted = Array(expression.utf8)
        return { line, start in
            guard start + wanted.count <= line.count else { return nil }
            return (start...(line.count - wanted.count)).first { line[$0..<($0 + wanted.count)].elementsEqual(wanted) }
                .map { $0..<($0 + wanted.count) }
        }
    }
    func isFile(_ path: String) -> Bool { files[path] != nil }
    func isKnownUser(_ name: String) -> Bool { true }
    func isKnownTimeZone(_ name: String) -> Bool { true }

    func connect() throws(Fault) -> ConnectionID? {
        greeted = false
        saidHello = false
        return isDaemonThere ? connection : nil
    }
    func close(_ connection: ConnectionID) {}
    /// Why the programs beside this one can't take over.
    var programFault: Fault?
    func examinePrograms() throws(Fault) -> Upgrade {
        if let programFault { throw programFault }
        return Upgrade(keeper: "/opt/orch/orch-keeper", daemon: "/opt/orch/orchd", keeperProtocol: 1)
    }
    func startDaemon() throws(Fault) {
        daemonStarts += 1
        isDaemonThere = true
    }

    func send(_ bytes: [UInt8], to connection: ConnectionID) throws(Fault) {
        inbound.append(bytes)
        while let value = try? inbound.next() {
            guard greeted else {
                greeted = true
                continue
            }
            guard let request = try? Request(value) else { continue }
            let steps = script(request.command)
            // A daemon that remembers nothing, unless the script says otherwise.
            if steps.isEmpty, request.command.asksWhatIsKnown {
                pending.append((request.id, .reply(.recalled(nil))))
                continue
            }
            commands.append(request.command)
            pending += steps.map { (request.id, $0) }
        }
    }

    /// What the oracle is to find in a rehearsal.
    var violation: String?
    func play(_ rehearsal: Rehearsal) -> RehearsalScore {
        var score = rehearsal.play()
        if let violation { score.violations.append(violation) }
        return score
    }

    func catchInterrupts() {}
    private(set) var catchesKeys = false
    func catchKeys() { catchesKeys = true }
    func releaseKeys() { catchesKeys = false }

    private var saidHello = false

    func wait(until deadline: Instant?) -> [Wakeup] {
        if greeted, !saidHello {
            saidHello = true
            return [.received(connection, Frame.encode(Hello(version: version)))]
        }
        guard let (id, step) = pending.first else {
            // Nothing will ever happen: a command that waits without a deadline would hang, so the daemon leaves.
            guard let deadline else {
                isDaemonThere = false
                return [.closed(connection)]
            }
            advance(to: deadline)
            return []
        }
        if case .pause(let span) = step {
            let end = now.instant + span
            if let deadline, deadline < end {
                pending[0].step = .pause(end - deadline)
                advance(to: deadline)
                return []
            }
            pending.removeFirst()
            advance(to: end)
            return []
        }
        pending.removeFirst()
        switch step {
        case .reply(let body): return [.received(connection, Frame.encode(Reply(id: id, body)))]
        case .interrupt: return [.interrupted]
        case .typed(let keys): return catchesKeys ? [.typed(Array(keys.utf8))] : []
        case .hangUp, .pause:
            isDaemonThere = false
            return [.closed(connection)]
        case .replace:
            saidHello = false
            pending = []
            return [.closed(connection)]
        }
    }

    private func advance(to instant: Instant) {
        let span = instant - now.instant
        guard span > .zero else { return }
        now = Moment(instant: instant, wall: now.wall + span)
    }
}

extension ScriptedPlatform: LogFiles {
    private var paths: [String] { files.keys.sorted() }
    func inode(of path: String) -> UInt64? { paths.firstIndex(of: path).map { UInt64($0 + 1) } }
    func open(_ path: String) -> OpenLog? {
        paths.firstIndex(of: path).map { OpenLog(handle: Int32($0), inode: UInt64($0 + 1)) }
    }
    func size(of file: OpenLog) -> Int64 { Int64(content(file).count) }
    func read(_ file: OpenLog, at offset: Int64, count: Int) -> [UInt8] {
        Array(content(file).dropFirst(Int(offset)).prefix(count))
    }
    func close(_ file: OpenLog) {}
    private func content(_ file: OpenLog) -> [UInt8] { Array((files[paths[Int(file.handle)]] ?? "").utf8) }
}

/// Runs a command line on a script.
func run(_ words: String, on platform: ScriptedPlatform) -> ExitCode {
    runOrch(words.split(separator: " ").map { String($0) }, on: platform)
}

extension InstanceStatus {
    static func sample(
        _ service: String, _ phase: Phase, since: Duration = .zero, pid: Int32? = nil, reason: String = "",
        replica: Int? = nil
    ) -> InstanceStatus {
        let id = InstanceID(service: ServiceID(stack: "shop", service: service), replica: replica ?? 1)
        var status = InstanceStatus(
            id: id, label: id.label(alone: replica == nil), kind: .service, phase: phase,
            since: ScriptedPlatform.start + (.zero - since))
        status.pid = pid
        status.reason = reason
        return status
    }
}

extension StackStatus {
    static func shop(_ instances: [InstanceStatus], _ phase: StackPhase = .ready) -> StackStatus {
        StackStatus(
            name: "shop", revision: String(repeating: "ab12", count: 16), manifestPath: "/home/ada/shop/orch.yaml",
            phase: phase,
            instances: instances)
    }
}

extension Command {
    /// Whether `.recalled(nil)` is an answer to it.
    fileprivate var asksWhatIsKnown: Bool {
        switch self {
        case .recall, .applyKnown: true
        default: false
        }
    }
}
