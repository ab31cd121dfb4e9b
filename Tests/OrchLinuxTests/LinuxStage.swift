// SPDX-License-Identifier: Apache-2.0
import COrch
import Glibc
import HostContract
import OrchDaemon
import OrchEngine
import OrchModel

@testable import OrchLinux

/// A real keeper and real processes as a stage of the host's contract.
final class LinuxStage: Stage {
    private let bench: Bench
    /// Where each part of a launch says that it is there: `host-probe act`.
    private let greetings: Descriptor
    private var born: [LaunchID: Int] = [:]
    private var heldOutput: Descriptor?

    init(session: Bool) throws {
        bench = try Bench(session: session)
        greetings = try Self.listen(bench.directory + "/greetings")
    }

    var now: Moment { bench.host.now }
    func perform(_ output: Output) { bench.host.perform(output) }
    func wait(until deadline: Instant?) -> [Input] { bench.host.wait(until: deadline) }
    func members(of launches: [LaunchID]) -> [LaunchMembers] { bench.host.members(of: launches) }
    func usage(of launches: [LaunchID]) -> [Usage] { bench.host.usage(of: launches) }

    // MARK: Launches

    func order(_ launch: LaunchID, _ specimen: Specimen) -> LaunchOrder {
        var order = bench.order(launch.number, words(launch, specimen)) {
            $0.name = "s\(launch.number)"
            if specimen.readyAfter != nil || specimen.isReadyOnCue { $0.ready = .notify }
        }
        order.instance = InstanceID(service: ServiceID(stack: "shop", service: order.spec.name))
        order.label = order.spec.name
        return order
    }

    private func words(_ launch: LaunchID, _ specimen: Specimen) -> [String] {
        if specimen.isMissing { return ["./nothing"] }
        var words = [Bench.tool("host-probe"), "act", bench.directory + "/greetings", String(launch.number)]
        func add(_ key: String, _ span: Duration?) {
            if let span { words.append("\(key)=\(span.nanoseconds / 1_000_000)") }
        }
        add("child", specimen.childOutlives)
        add("ready", specimen.readyAfter)
        add("ends", specimen.endsAfter)
        if specimen.isDeaf { words.append("deaf=1") }
        switch specimen.exit {
        case .code(let code): words.append("code=\(code)")
        case .signal(let signal, let dumpsCore): words += ["signal=\(signal.number)", "core=\(dumpsCore ? 1 : 0)"]
        case .unknown: break
        }
        return words
    }

    private func command(_ specimen: Specimen) -> CommandLine {
        if specimen.isSlow { return .exec(["sleep", "1000"]) }
        if let words = specimen.complaint { return .exec(["sh", "-c", "echo \(words); exit 1"]) }
        return .exec(["true"])
    }

    func question(_ specimen: Specimen) -> Probe.Action { .command(command(specimen)) }
    func step(_ specimen: Specimen) -> StopSpec.Action { .command(command(specimen)) }

    func awaitBirth(of launch: LaunchID, _ specimen: Specimen) throws {
        let parts = specimen.childOutlives == nil ? 1 : 2
        while born[launch, default: 0] < parts {
            var one = pollfd(fd: greetings.number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&one, 1, 20_000) == 1 else { throw Missing(description: "launch \(launch.number)") }
            var text = [UInt8](repeating: 0, count: 32)
            let count = unsafe recv(greetings.number, &text, text.count, 0)
            guard let number = UInt64(String(decoding: text.prefix(max(0, count)), as: UTF8.self)) else { continue }
            born[LaunchID(number), default: 0] += 1
        }
    }

    private static func listen(_ path: String) throws -> Descriptor {
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = try Descriptor("socket", socket(AF_UNIX, kind, 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let fd = descriptor.number
        try Syscall.libc("bind") {
            unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        return descriptor
    }

    // MARK: What happens without the host

    func strike(_ launch: LaunchID, _ exit: Exit) {
        guard let pid = bench.host.records[launch]?.pid, pid > 1 else { return }
        switch exit {
        // host-probe ends with the code that comes with this signal.
        case .code(let code): _ = unsafe sigqueue(pid, SIGUSR2, sigval(sival_int: code))
        case .signal(let signal, _): _ = kill(pid, signal.number)
        case .unknown: break
        }
    }

    func cue(_ launch: LaunchID) {
        if let pid = bench.host.records[launch]?.pid, pid > 1 { kill(pid, SIGUSR1) }
    }

    func holdOutput(of launch: LaunchID) throws {
        let pid = bench.host.records[launch]?.pid ?? 0
        heldOutput = try SmallFile.open("/proc/\(pid)/fd/1", O_WRONLY)
    }

    func blockRunDirectory() throws {
        let launches = bench.host.run.launches
        try Syscall.libc("rename") { unsafe rename(launches, launches + ".away") }
        _ = try SmallFile.open(launches, O_WRONLY | O_CREAT)
    }

    var living: Int { bench.leftBehind.count }

    var dumpsCores: Bool {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        return limit.rlim_max > 0 && SmallFile.text("/proc/sys/kernel/core_pattern") == "core\n"
    }

    // MARK: The daemon

    func changeDaemon(torn: LaunchNote?, meanwhile: () -> Void) throws -> Recovery {
        try bench.replaceDaemon {
            if let torn {
                let line = LaunchNoteCodec.bytes(of: torn)
                let file = try SmallFile.open(bench.directory + "/run/launches.log", O_WRONLY | O_APPEND)
                try SmallFile.write(Array(line[..<(line.count / 2)]), to: file.number)
            }
            meanwhile()
        }
        return Recovery.assembled(
            from: StoredState(), notes: bench.notes, isNewBoot: bench.isNewBoot,
            survivors: bench.inheritance.survivors, closed: bench.inheritance.closed,
            sockets: bench.inheritance.sockets, highestLaunch: bench.inheritance.highestLaunch, seed: 1)
    }

    func connect() throws -> any Caller { try LinuxCaller(bench.directory + "/orch.sock") }
}

private final class LinuxCaller: Caller {
    private var socket: Descriptor?
    private var bytes: [UInt8] = []
    private var isAtEnd = false

    init(_ path: String) throws { socket = try Descriptor("connect", unsafe corch_unix_connect(path)) }

    var received: [UInt8] {
        hear()
        return bytes
    }

    var isCutOff: Bool {
        hear()
        return isAtEnd
    }

    func send(_ bytes: [UInt8]) throws {
        if let fd = socket?.number { try SmallFile.write(bytes, to: fd) }
    }

    func hangUp() { socket = nil }

    private func hear() {
        guard let fd = socket?.number else { return }
        var block = [UInt8](repeating: 0, count: 65_536)
        while !isAtEnd {
            let count = unsafe recv(fd, &block, block.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return }
            bytes += block[..<count]
            isAtEnd = count == 0
        }
    }
}
