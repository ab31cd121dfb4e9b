// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// Clients that are too many, leave in the middle, or want what is not theirs.
@Suite(.serialized) struct OddClientTests {
    /// Two hundred, each with fifty questions at once; somebody at a terminal is answered meanwhile.
    @Test func tenThousandQuestionsHoldUpNobody() throws {
        let place = try place()
        let hello = Frame.encode(Hello())
        let questions = (1...50 as ClosedRange<UInt64>).flatMap { Frame.encode(Request(id: $0, command: .status(nil))) }
        let clients = try (0..<200).map { _ in try Connection(place) }
        let began = milliseconds()
        for client in clients { try client.send(hello + questions) }
        let asked = milliseconds()
        #expect(try place.orch("status").status == 0)
        let heard = milliseconds()
        for client in clients {
            let answers = try client.answers(through: 50)
            #expect(answers == Set(1...50), "\(answers.count) answers")
        }
        let done = milliseconds()
        print("clients: 10,000 answers within \(done - began) ms, a person's after \(heard - asked) ms")
        #expect(heard - asked < 30_000)
        #expect(try place.orch("restart", "a").status == 0)
        #expect(try place.end() == "")
    }

    /// Whoever hangs up in the middle of a request has asked nothing, and keeps no descriptor of the daemon's.
    @Test func whoLeavesAtAnyByteHasAskedNothing() throws {
        let place = try place()
        let daemon = try place.daemon()
        func descriptors() throws -> String { try place.shell("ls /proc/\(daemon)/fd | wc -l").output }
        let whole = Frame.encode(Hello()) + Frame.encode(Request(id: 1, command: .stop([], timeout: nil)))
        let before = try descriptors()
        let pid = try place.pid("a")
        for cut in 0..<whole.count { try Connection(place).send(Array(whole[..<cut])) }
        try place.eventually("all of theirs are closed") { try descriptors() == before }
        #expect(try place.pid("a") == pid && place.phase("a") == "ready")
        #expect(try place.daemon() == daemon)
        #expect(try place.end() == "")
    }

    /// File modes keep another user out; where somebody opened them, the kernel's word on who he is does.
    @Test(.enabled("becoming another user needs root") { geteuid() == 0 })
    func anotherUserIsTurnedAway() throws {
        let place = try place()
        let pid = try place.pid("a")
        let other = """
            setpriv --reuid=65534 --regid=65534 --clear-groups env ORCH_HOME='\(place.home)' '\(place.folder)/orch' stop a
            """
        #expect(try place.shell("cp \(program("orch")) . && chmod 755 orch").status == 0)
        let closed = try place.shell(other)
        #expect(closed.status != 0 && !closed.errors.isEmpty, "\(closed)")
        #expect(try place.shell("chmod 777 '\(place.home)/run' '\(place.home)/run/orch.sock'").status == 0)
        let opened = try place.shell(other)
        #expect(opened.status != 0 && !opened.errors.isEmpty, "\(opened)")
        #expect(try place.pid("a") == pid && place.phase("a") == "ready")
        #expect(try place.end() == "")
    }

    static let names = [
        "../evil", "a/b", "..", ".", "...", "-a", "a b", "a\\nb", "a\\0b", "é", "🙂", "", "a%2fb",
        String(repeating: "a", count: 4_096),
    ]

    /// Nothing is made of a name that could lead elsewhere, whether a manifest or a client says it.
    @Test func namesThatLeadElsewhereAreRefused() throws {
        let place = try place()
        let list = """
            cd '\(place.home)' && find . -path ./state/logs -prune -o -name 'out.*' -o -print | sort; ls / /tmp | grep evil
            """
        let before = try place.shell(list).output
        for name in Self.names {
            let body = "{ command: [true] }"
            for text in [
                "name: \"\(name)\"\nservices:\n  a: \(body)\n", "services:\n  \"\(name)\": \(body)\n",
            ] {
                try place.write(text, to: "odd.yaml")
                let apply = try place.orch("apply", "-f", "odd.yaml")
                #expect(apply.status != 0 && !apply.errors.isEmpty, "\(name): \(apply)")
            }
            if name.isEmpty || name.contains("\\") { continue }
            for command in ["stop", "logs", "why", "restart"] {
                let outcome = try place.orch(command, "--", name)
                #expect(outcome.status != 0 && !outcome.errors.isEmpty, "\(command) \(name): \(outcome)")
            }
        }
        try place.write("", to: "odd.yaml")
        // A client of its own makes: what `orch` would never send.
        for name in ["../evil", "/evil", "..", "a\u{0}b", "a\nb", String(repeating: "a", count: 4_096)] {
            let spec = ServiceSpec(name: "b", command: .exec(["true"]), workingDirectory: "/")
            let odd = ApplyRequest(stack: Stack(name: "odd", services: [spec]), manifestPath: "/odd.yaml")
            let whole = JSON.text(of: Request(id: 7, command: .apply(odd)).value)
            for text in ["\"name\":\"odd\"", "\"b\":"] {
                let evil = JSON.text(of: .string(name))
                let text = whole.replacing(text, with: text.replacing(/"(odd|b)"/, with: evil))
                #expect(text != whole)
                let client = try Connection(place)
                try client.send(Frame.encode(Hello()) + Frame.encode(try JSON.parse(text)))
                let refusal = try client.answer(to: 7)
                #expect(
                    refusal.contains("can't name a stack or a service"), "\(text.prefix(200)): \(refusal.prefix(200))")
            }
        }
        _ = try place.shell("rm -f '\(place.folder)/odd.yaml'")
        #expect(try place.shell(list).output == before)
        #expect(try place.phase("a") == "ready")
        #expect(try place.end() == "")
    }

    private func place() throws -> Workplace {
        let place = try Workplace()
        try place.write("name: one\nservices:\n  a: { command: [sleep, '4294'] }\n")
        try place.apply()
        return place
    }

    private func milliseconds() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}

/// A client with nothing between it and the daemon's socket.
private final class Connection {
    private let number: Int32
    private var buffer = FrameBuffer()

    init(_ place: Workplace) throws {
        number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = place.home + "/run/orch.sock"
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(number, $0, length) }
        }
        guard connected == 0 else { throw Broken("connect: \(errno)") }
    }

    deinit { close(number) }

    func send(_ bytes: [UInt8]) throws {
        guard unsafe Glibc.send(number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw Broken("send: \(errno)")
        }
    }

    private func frame() throws -> Value {
        while true {
            if let value = try buffer.next() { return value }
            var one = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&one, 1, 60_000) == 1 else { throw Broken("no answer") }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe recv(number, &bytes, bytes.count, 0)
            guard count > 0 else { throw Broken("the daemon hung up") }
            buffer.append(Array(bytes[..<count]))
        }
    }

    /// The numbers of what is answered, until as many are.
    func answers(through last: Int64) throws -> Set<Int64> {
        var answered: Set<Int64> = []
        while answered.count < last {
            if let id = try frame()["id"]?.int { answered.insert(id) }
        }
        return answered
    }

    /// The first answer to this, or to all of the conversation.
    func answer(to id: Int64) throws -> String {
        while true {
            let value = try frame()
            if value["id"]?.int == id || value["id"]?.int == 0 { return JSON.text(of: value) }
        }
    }
}
