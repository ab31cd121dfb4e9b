// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// Where journald and syslog listen.
public struct ForwardPaths: Sendable {
    /// https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
    public var journald = "/run/systemd/journal/socket"
    /// syslog(3).
    public var syslog = "/dev/log"
    public init() {}
}

/// Makes messages for the machine's own log of the lines of one pipe. Lives on the pump's thread.
final class LineForwarder {
    private let kind: LoggingSpec.Forward
    private let socket: ForwardSocket
    private let instance: InstanceID
    private let launch: LaunchID
    private let stream: LogStreamKind?
    private var stripper: ANSIStripper?
    /// Of the service's main process; 0 until it is known.
    var pid: Int32 = 0
    private var stamp: (second: Int64, bytes: [UInt8]) = (.min, [])
    /// The facility of system daemons (RFC 5424, section 6.2.1).
    private static let facility = 3

    init(_ pipe: LogPipe, _ instance: InstanceID, _ kind: LoggingSpec.Forward, _ socket: ForwardSocket, strips: Bool) {
        self.kind = kind
        self.socket = socket
        self.instance = instance
        launch = pipe.launch
        stream = pipe.stream
        pid = pipe.pid
        stripper = strips ? ANSIStripper() : nil
    }

    /// Without a level of its own a line of standard error is an error, and any other one information.
    func forward(_ line: Span<UInt8>, _ level: LogLevel?, at wall: WallTime, _ now: Instant) {
        var text: [UInt8] = []
        if stripper == nil {
            unsafe line.withUnsafeBytes { unsafe text.append(contentsOf: $0) }
        } else {
            stripper?.strip(line, 0..<line.count, into: &text)
            stripper?.endLine()
        }
        let priority = level ?? (stream == .stderr ? .error : .information)
        switch kind {
        case .none: break
        case .journald: socket.send(journal(text, priority), now)
        case .syslog: socket.send(syslog(text, priority, wall), now)
        }
    }

    /// Fields a line each, as no value has a newline in it.
    private func journal(_ text: [UInt8], _ level: LogLevel) -> [UInt8] {
        let (stack, service) = (instance.service.stack, instance.service.service)
        var fields =
            "PRIORITY=\(level.rawValue)\nSYSLOG_FACILITY=\(Self.facility)\nSYSLOG_IDENTIFIER=\(stack).\(service)\n"
            + "ORCH_STACK=\(stack)\nORCH_SERVICE=\(service)\nORCH_INSTANCE=\(instance.name)\nORCH_LAUNCH=\(launch.number)\n"
        if let stream { fields += "ORCH_STREAM=\(stream.rawValue)\n" }
        if pid > 0 { fields += "SYSLOG_PID=\(pid)\nOBJECT_PID=\(pid)\n" }
        return Array(fields.utf8) + Array("MESSAGE=".utf8) + text + [10]
    }

    /// As syslog(3) writes it: RFC 3164 without a host's name, the time in the zone of the machine.
    private func syslog(_ text: [UInt8], _ level: LogLevel, _ wall: WallTime) -> [UInt8] {
        var head = Array("<\(Self.facility * 8 + level.rawValue)>".utf8)
        head += time(wall)
        head += " \(instance.service.stack).\(instance.service.service)\(pid > 0 ? "[\(pid)]" : ""): ".utf8
        return head + text.prefix(max(0, Limits.syslogBytes - head.count))
    }

    /// `Nov 21 22:30:00`, made once a second.
    private func time(_ wall: WallTime) -> [UInt8] {
        let second = wall.nanoseconds / 1_000_000_000
        guard second != stamp.second else { return stamp.bytes }
        var time = time_t(second)
        var parts = unsafe tm()
        _ = unsafe localtime_r(&time, &parts)
        let (month, day) = unsafe (Int(parts.tm_mon), parts.tm_mday)
        let (hour, minute, whole) = unsafe (parts.tm_hour, parts.tm_min, parts.tm_sec)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int32, _ fill: String = "0") -> String { number < 10 ? "\(fill)\(number)" : "\(number)" }
        let text =
            "\(months[month % 12]) \(two(day, " ")) \(two(hour)):\(two(minute)):\(two(whole))"
        stamp = (second, Array(text.utf8))
        return stamp.bytes
    }
}
