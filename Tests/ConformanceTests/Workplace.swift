// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire

/// A home of its own for one test: ORCH_HOME, a folder for manifests, and the real programs beside the test bundle.
/// Ending it stops the daemon and proves that nothing is left.
final class Workplace {
    /// What stands between the programs and the C library (Tests/fault-shim): a file `fault` may make calls fail, or `malloc`, or signals
    /// interrupt every wait.
    enum Shim { case calls, memory, storm }

    let home: String
    let folder: String
    private let environment: [String]
    /// Put before every command: how another user is become.
    private let become: [String]
    private var isEnded = false

    /// `tracking` forces how trees are held: `session` where nothing better is to be assumed. `isNobody` runs all of it as the user
    /// nobody, which only root can.
    /// `isArmed`: a file `failpoint` may end its programs.
    init(tracking: String? = nil, isNobody: Bool = false, isArmed: Bool = false, shim: Shim? = nil) throws {
        home = try makeFolder()
        folder = home + "/stack"
        unsafe mkdir(folder, 0o755)
        become = isNobody ? ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        if isNobody {
            unsafe chown(home, 65_534, 65_534)
            unsafe chown(folder, 65_534, 65_534)
        } else {
            // Services of other users must be able to pass.
            unsafe chmod(home, 0o711)
        }
        var variables = [
            "ORCH_HOME=\(home)", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
            "NO_COLOR=1",
        ]
        variables.append("SWIFT_BACKTRACE=enable=no")
        // Nothing of a test is for the machine's own log.
        variables += ["ORCH_JOURNAL_SOCKET=\(home)/journal", "ORCH_SYSLOG_SOCKET=\(home)/syslog"]
        if isArmed { variables.append("ORCH_FAILPOINT=\(home)/failpoint") }
        switch shim {
        case .calls: variables += ["FAULT_SHIM=\(home)/fault"]
        case .memory: variables += ["FAULT_SHIM=\(home)/fault", "FAULT_MEMORY=1"]
        case .storm: variables += ["FAULT_STORM=\(home)/storm"]
        case nil: break
        }
        if shim != nil { variables.append("LD_PRELOAD=\(program("libfault-shim.so"))") }
        if let tracking { variables.append("ORCH_TRACKING=\(tracking)") }
        environment = variables
    }

    /// A test that could not go on leaves nothing running either.
    deinit { if !isEnded { _ = try? orch("daemon", "stop") } }

    /// What a command came to.
    struct Outcome: CustomStringConvertible {
        var status: Int32
        var output: String
        var errors: String
        var description: String { "exit \(status)\n\(output)\(errors)" }
    }

    /// Runs the real `orch` in the manifest's folder, for at most two minutes.
    func orch(_ words: String...) throws -> Outcome { try orch(words) }

    func orch(_ words: [String]) throws -> Outcome {
        try run(["/usr/bin/timeout", "-k", "5", "150", program("orch")] + words)
    }

    func shell(_ text: String) throws -> Outcome { try run(["/bin/sh", "-c", text]) }

    private func run(_ words: [String]) throws -> Outcome {
        let out = "\(home)/out.\(words.count).\(UInt64.random(in: 0 ..< .max))"
        let child = try start(words, output: out, errors: out + ".err")
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
        defer {
            unsafe unlink(out)
            unsafe unlink(out + ".err")
        }
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        return Outcome(status: code, output: contents(out), errors: contents(out + ".err"))
    }

    /// Starts a program that goes on beside the test.
    func start(_ words: [String], output: String = "/dev/null", errors: String = "/dev/null") throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // The C library's way to spawn in another folder is not in Swift's overlay.
        let words = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + become + words
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, words[0], &actions, nil, &arguments, &variables)
        guard code == 0 else { throw Broken("cannot start \(words[0]): \(code)") }
        return pid
    }

    func write(_ text: String, to name: String = "orch.yaml", mode: mode_t = 0o644) throws {
        let file = unsafe open("\(folder)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode)
        guard file >= 0 else { throw Broken("cannot write \(name)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else { throw Broken("cannot write \(name)") }
    }

    /// Applies what was written; a test can't go on without.
    func apply() throws {
        let outcome = try orch("apply")
        guard outcome.status == 0 else { throw Broken("\(outcome)") }
    }

    /// Every instance as `status --json` tells it, by its label.
    func rows() throws -> [String: Value] {
        let outcome = try orch("status", "--json")
        guard outcome.status == 0, let value = try? JSON.parse(outcome.output) else {
            throw Broken("status: \(outcome)")
        }
        var rows: [String: Value] = [:]
        for stack in value["stacks"]?.array ?? [] {
            for row in stack["instances"]?.array ?? [] { rows[row["label"]?.string ?? "?"] = row }
        }
        return rows
    }

    func phase(_ label: String) throws -> String? { try rows()[label]?["phase"]?.string }
    func pid(_ label: String) throws -> Int64? { try rows()[label]?["pid"]?.int }

    /// A disk that many use may take no byte for a minute; no test is held up by waiting longer for what comes.
    private static let patience = 150

    /// Asks again until it holds; a test fails loudly when it never does.
    func eventually(_ what: String, within seconds: Int = Workplace.patience, _ isTrue: () throws -> Bool) throws {
        let deadline = time(nil) + seconds
        while true {
            if try isTrue() { return }
            guard time(nil) < deadline else {
                throw Broken(
                    "never came true within \(seconds)s: \(what)\n\(try orch("status"))\n\(contents(home + "/state/orchd.log").suffix(2_000))"
                )
            }
            pause()
        }
    }

    /// As `eventually`, and asks the daemon nothing meanwhile.
    func until(_ what: String, within seconds: Int = Workplace.patience, _ isTrue: () throws -> Bool) throws {
        let deadline = time(nil) + seconds
        while try !isTrue() {
            guard time(nil) < deadline else { throw Broken("never came true within \(seconds)s: \(what)") }
            pause()
        }
    }

    /// Lets others run for a moment between two looks at the world; poll(2) on nothing.
    private func pause() { _ = poll(nil, 0, 20) }

    /// Stops everything, and says what is left of it.
    func end() throws -> String {
        isEnded = true
        let outcome = try orch("daemon", "stop")
        var left = outcome.status == 0 || outcome.status == 4 ? "" : "\(outcome)"
        left += try shell("pgrep -f -a -- '\(home)' | grep -v pgrep || true").output
        if left.isEmpty { _ = try shell("rm -rf '\(home)'") }
        return left
    }
}

/// Why a test can't go on.
struct Broken: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A program of this build, or of the one whose folder ORCH_PROGRAMS names.
func program(_ name: String) -> String {
    if let folder = unsafe getenv("ORCH_PROGRAMS").map({ unsafe String(cString: $0) }) {
        for other in ["\(folder)/\(name)", "\(folder)/../libexec/orch/\(name)"] where unsafe access(other, X_OK) == 0 {
            return other
        }
    }
    var path = [CChar](repeating: 0, count: 4_096)
    let length = unsafe readlink("/proc/self/exe", &path, 4_096)
    let own = String(decoding: path.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex) + name
}

/// The repository's folder, from this file's place in it.
func repository(_ file: String = #filePath) -> String {
    file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
}

func contents(_ path: String) -> String {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe read(file, &block, block.count)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes += block[..<count]
    }
}

private func makeFolder() throws -> String {
    var template = Array("/tmp/orch-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Broken("mkdtemp: \(errno)") }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
