// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchModel
import Testing

@testable import OrchLinux

/// What the examiner says of this machine is what the kernel would say.
@Suite(.serialized) final class ExaminerTests {
    private let folder: String
    private let examiner: LinuxExaminer

    init() throws {
        var template = Array("/tmp/orch-look-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        unsafe chmod(folder, 0o755)
        examiner = LinuxExaminer(state: folder, run: folder + "/run")
    }

    private func file(_ name: String, _ text: String = "", mode: mode_t = 0o644) -> String {
        let path = "\(folder)/\(name)"
        let number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
        let bytes = Array(text.utf8)
        _ = unsafe write(number, bytes, bytes.count)
        close(number)
        unsafe chmod(path, mode)
        return path
    }

    deinit { _ = unsafe system("rm -rf '\(folder)'") }

    @Test func pathsAreAsTheyAre() {
        let script = file("run.sh", "#! /bin/sh -e\necho\n", mode: 0o755)
        let plain = file("plain", mode: 0o600)
        unsafe symlink(plain, "\(folder)/link")
        #expect(examiner.obstacle(to: .execute, of: script, as: nil) == nil)
        #expect(examiner.interpreter(of: script) == "/bin/sh")
        #expect(examiner.interpreter(of: plain) == nil)
        #expect(examiner.obstacle(to: .execute, of: plain, as: nil)?.kind == .denied)
        #expect(examiner.obstacle(to: .execute, of: folder, as: nil)?.kind == .shape)
        #expect(examiner.obstacle(to: .enter, of: folder, as: nil) == nil)
        #expect(examiner.obstacle(to: .enter, of: plain, as: nil)?.kind == .shape)
        #expect(
            examiner.obstacle(to: .enter, of: "\(folder)/none", as: nil)
                == PathObstacle(.missing, "no such file or directory (ENOENT)"))
        #expect(examiner.obstacle(to: .write, of: plain, as: nil) == nil)
        #expect(examiner.obstacle(to: .write, of: "\(folder)/new/deep/web.log", as: nil) == nil)
        #expect(examiner.obstacle(to: .write, of: "\(folder)/link", as: nil)?.kind == .shape)
        #expect(examiner.obstacle(to: .write, of: "\(plain)/web.log", as: nil)?.kind == .missing)
        #expect(examiner.obstacle(to: .own, of: "\(folder)/state", as: nil) == nil)
        #expect(examiner.obstacle(to: .own, of: plain, as: nil)?.kind == .shape)
    }

    /// Also after somebody else was asked for: it is root who looks then, as before.
    @Test(.enabled("seeing as another user needs root") { geteuid() == 0 }) func anotherUserSeesLess() throws {
        let nobody = try #require(try examiner.person("nobody", adding: []))
        let script = file("run.sh", "#!/bin/sh\n", mode: 0o700)
        #expect(
            examiner.obstacle(to: .execute, of: script, as: nobody)
                == PathObstacle(.denied, "permission denied (EACCES)"))
        unsafe chmod(script, 0o755)
        #expect(examiner.obstacle(to: .execute, of: script, as: nobody) == nil)
        unsafe mkdir("\(folder)/closed", 0o700)
        let inside = file("closed/data")
        #expect(
            examiner.obstacle(to: .read, of: inside, as: nobody)?.reason
                == "permission denied (EACCES): the folder \(folder)/closed is closed to it")
        #expect(examiner.obstacle(to: .read, of: inside, as: nil) == nil)
        #expect(examiner.obstacle(to: .write, of: "\(folder)/web.log", as: nobody)?.kind == .denied)
        // By a group that only the manifest gives.
        unsafe chown("\(folder)/closed", 0, 65_000)
        unsafe chmod("\(folder)/closed", 0o750)
        let member = try #require(try examiner.person("nobody", adding: ["65000"]))
        #expect(examiner.obstacle(to: .read, of: inside, as: member) == nil)
        unsafe chown(folder, 65_534, 65_534)
        #expect(examiner.obstacle(to: .own, of: folder, as: nil)?.reason.hasPrefix("it belongs to ") ?? false)
    }

    @Test func theHostIsAsItIs() throws {
        let facts = examiner.facts(daemon: nil)
        var name = utsname()
        unsafe uname(&name)
        let release = unsafe withUnsafeBytes(of: &name.release) {
            unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        #expect(facts.kernel == release && facts.missingCalls == [])
        var own = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &own)
        #expect(facts.limits.count == Ulimit.Resource.allCases.count)
        #expect(facts.limits.first { $0.resource == .nofile }?.soft == Int64(own.rlim_cur))
        var higher = own
        higher.rlim_max += 1
        let isRaised =
            unsafe own.rlim_max != .max && setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &higher) == 0
        #expect(facts.mayRaiseLimits == isRaised)
        let room = try #require(facts.processes)
        #expect(room.used > 0 && room.left > 0)
        // The same answer as the daemon's, which tries it.
        let isPossible = (try? ControlGroupRoot.establish(digest: "examined")) != nil
        #expect((facts.groups.obstacle == nil) == isPossible, "\(facts.groups)")
        if isPossible, let group = facts.groups.group { unsafe rmdir("\(group)/orch-\(getuid())-examined") }
        let disk = try #require(examiner.fileSystem(of: folder + "/not/there"))
        #expect(disk.answers && (disk.space?.limit ?? 0) > 0 && disk.kind != "unknown", "\(disk)")
    }

    @Test func limitsAreReadByColumn() {
        let text = """
            Limit                     Soft Limit           Hard Limit           Units
            Max cpu time              unlimited            unlimited            seconds
            Max file size             100                  200                  bytes
            """
        #expect(
            ProcessLimits.parse(text) == [Ulimit(.cpu, soft: nil, hard: nil), Ulimit(.fsize, soft: 100, hard: 200)])
    }

    @Test func aTakenPortNamesItsOwner() throws {
        let listener = try Listener()
        let obstacle = try #require(examiner.obstacle(to: PortSpec(port: listener.port)))
        #expect(obstacle.fault.reason.contains("by pid \(getpid()) (") && obstacle.holder == nil)
    }

    @Test func aQuestionWithoutAnAnswerIsGivenUp() {
        #expect({ if case .came(7) = PatientQuestion.ask(within: .seconds(30), { 7 }) { true } else { false } }())
        let gate = Gate()
        let outcome = PatientQuestion.ask(within: .milliseconds(10)) { gate.wait() }
        gate.open()
        #expect({ if case .late = outcome { true } else { false } }())
    }

    /// Who waits at it waits until it is opened.
    private final class Gate: Sendable {
        private let ends: (Int32, Int32)
        init() {
            var pair: [Int32] = [-1, -1]
            unsafe pipe(&pair)
            ends = (pair[0], pair[1])
        }
        func wait() {
            var byte: UInt8 = 0
            _ = unsafe read(ends.0, &byte, 1)
        }
        func open() { close(ends.1) }
    }
}
