// SPDX-License-Identifier: Apache-2.0

public import OrchEngine
import OrchModel
import OrchWire

/// Launch notes as lines of text, for the ledger that dies with a boot: eight hexadecimal digits of CRC-32 (ISO 3309, as in zlib),
/// a space, and JSON. A torn or damaged line does not read.
public enum LaunchNoteCodec {
    /// One line without its end; it holds no newline.
    public static func bytes(of note: LaunchNote) -> [UInt8] {
        var writer = NoteWriter(after: 9)
        write(note, to: &writer)
        var bytes = writer.finish()
        let seal = seal(of: bytes, 0..<bytes.count)
        for index in 0..<8 { bytes[index] = seal[index] }
        return bytes
    }

    private static func isSealed(_ bytes: [UInt8], _ line: Range<Int>) -> Bool {
        let seal = seal(of: bytes, line)
        return (0..<8).allSatisfy { bytes[line.lowerBound + $0] == seal[$0] }
    }

    /// The eight digits that belong in front of it.
    private static func seal(of bytes: [UInt8], _ line: Range<Int>) -> InlineArray<8, UInt8> {
        let sum = CRC32.checksum(of: bytes.span.extracting(line.lowerBound + 9..<line.upperBound))
        return InlineArray { index in
            let digit = UInt8(truncatingIfNeeded: sum >> UInt32(28 - 4 * index) & 15)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }

    /// Reads `bytes(of:)`; nil for anything else.
    public static func note(from bytes: [UInt8]) -> LaunchNote? { note(from: bytes, at: 0..<bytes.count) }

    /// The line at that place.
    public static func note(from bytes: [UInt8], at line: Range<Int>) -> LaunchNote? {
        guard line.count > 9, bytes[line.lowerBound + 8] == UInt8(ascii: " "), isSealed(bytes, line) else { return nil }
        let text = line.lowerBound + 9..<line.upperBound
        if let note = NoteScanner.note(in: bytes, at: text) { return note }
        guard let value = try? JSON.parse(Array(bytes[text])) else { return nil }
        return try? note(from: value)
    }

    private static func write(_ note: LaunchNote, to w: inout NoteWriter) {
        switch note {
        case .ordered(let launch, let instance, let definition, let at, let restarts):
            w.add("ordered")
            w.add(launch)
            w.add(instance)
            w.add(definition)
            w.add(at)
            w.add(Int64(restarts))
        case .executed(let launch, let pid, let at, let ports, let tracking):
            w.add("executed")
            w.add(launch)
            w.add(Int64(pid))
            w.add(at)
            w.add(.array(ports.map(\.value)))
            w.add(tracking)
        case .ready(let launch, let at):
            w.add("ready")
            w.add(launch)
            w.add(at)
        case .stopping(let launch, let motive, let reason, let step, let deadline):
            w.add("stopping")
            w.add(launch)
            w.add(reason)
            w.add(Int64(step))
            w.add(deadline.nanoseconds)
            w.add(motive.rawValue)
        case .probed(let launch, let kind, let passing):
            w.add("probed")
            w.add(launch)
            w.add(kind.rawValue)
            w.add(.bool(passing))
        case .tallied(let launch, let kind, let tally):
            w.add("tallied")
            w.add(launch)
            w.add(kind.rawValue)
            w.add(Int64(tally))
        case .released(let launch):
            w.add("released")
            w.add(launch)
        case .announced, .told, .locked, .reloadOwed, .reloadEnded, .configured, .failed, .runs, .hook, .renamed,
            .forgiven, .ended, .halted, .resumed:
            for part in rareParts(of: note) { w.add(part) }
        }
    }

    /// Of what is not part of every launch.
    private static func rareParts(of note: LaunchNote) -> [Value] {
        switch note {
        case .announced(let launch): ["announced", launch.value]
        case .told(let launch, let told): told.parts(of: launch)
        case .locked(let launch, let names): ["locked", launch.value, .strings(names)]
        case .reloadOwed(let launch, let cause): ["reload", launch.value, .string(cause)]
        case .reloadEnded(let launch, let fault, let refused):
            ["reloaded", launch.value, .optional(fault), .optional(refused?.hex)]
        case .configured(let launch, let digest):
            ["configured", launch.value, .optional(digest?.hex)]
        case .failed(let instance, let launch, let at):
            ["failed", instance.value, at.value, launch?.value ?? .null]
        case .runs(let instance, let state): ["runs", instance.value, state.value]
        case .hook(let call, let stage): call.parts(at: stage)
        case .renamed(let from, let to):
            ["renamed", .string(from.stack), .string(from.service), .string(to.service)]
        case .forgiven(let instance, let isAnew): ["forgiven", instance.value, .bool(isAnew)]
        case .ended(let instance, let launch, let exit, let at, let outcome):
            [
                "ended", instance.value, launch.value, exit.value, at.value, .string(outcome.definition.hex),
                .string(outcome.phase.rawValue), .string(outcome.reason), .string(outcome.key),
            ]
        case .halted(let halt, let appliedAt):
            [
                "halted", halt.instance.value, .int(appliedAt.nanoseconds), .string(halt.key), .string(halt.reason),
                halt.exit?.value ?? .null, .bool(halt.isSuccess),
            ]
        case .resumed(let instance): ["resumed", instance.value]
        case .ordered, .executed, .ready, .stopping, .probed, .tallied, .released: []
        }
    }

    private static func note(from value: Value) throws(ShapeError) -> LaunchNote? {
        let r = NoteReader(parts: value.array ?? [])
        switch try r.string(0) {
        case "ordered":
            return .ordered(
                try r.launch(1), try r.instance(2), definition: try r.digest(3), at: try r.moment(4),
                restarts: Int(try r.int(5)))
        case "executed":
            var ports: [AssignedPort] = []
            for port in try r.part(4).array ?? [] { ports.append(try AssignedPort(port)) }
            let pid = Int32(truncatingIfNeeded: try r.int(2))
            return .executed(try r.launch(1), pid: pid, at: try r.moment(3), ports: ports, tracking: try r.string(5))
        case "ready": return .ready(try r.launch(1), at: try r.moment(2))
        case "told": return .told(try r.launch(1), try r.told())
        case "announced": return .announced(try r.launch(1))
        case "stopping":
            let deadline = Instant(nanoseconds: try r.int(4))
            let motive = r.text(5).flatMap { StopMotive(rawValue: $0) } ?? .requested
            return .stopping(
                try r.launch(1), motive, reason: try r.string(2), step: Int(try r.int(3)), deadline: deadline)
        case "locked":
            var names: [String] = []
            for name in try r.part(2).array ?? [] { if let name = name.string { names.append(name) } }
            return .locked(try r.launch(1), names)
        case "reload": return .reloadOwed(try r.launch(1), cause: try r.string(2))
        case "reloaded":
            return .reloadEnded(try r.launch(1), fault: r.text(2), refused: r.text(3).flatMap { Digest(hex: $0) })
        case "configured": return .configured(try r.launch(1), r.text(2).flatMap { Digest(hex: $0) })
        case "failed": return .failed(try r.instance(1), r.known(3), at: try r.moment(2))
        case "probed":
            guard let kind = ProbeKind(rawValue: try r.string(2)), let passing = try r.part(3).bool else { return nil }
            return .probed(try r.launch(1), kind, passing: passing)
        case "tallied":
            guard let kind = ProbeKind(rawValue: try r.string(2)) else { return nil }
            return .tallied(try r.launch(1), kind, Int(clamping: try r.int(3)))
        case "runs": return .runs(try r.instance(1), try RunState(r.part(2)))
        case "hook": return try r.hook()
        case "released": return .released(try r.launch(1))
        case "renamed":
            let stack = try r.string(1)
            return .renamed(
                ServiceID(stack: stack, service: try r.string(2)),
                to: ServiceID(stack: stack, service: try r.string(3)))
        case "ended":
            guard let phase = Phase(rawValue: try r.string(6)) else { return nil }
            let exit = try Exit(r.part(3))
            let outcome = Outcome(
                phase: phase, reason: r.text(7) ?? exit.text, definition: try r.digest(5), key: r.text(8) ?? "restart")
            return .ended(try r.instance(1), try r.launch(2), exit, at: try r.moment(4), outcome)
        case "forgiven": return .forgiven(try r.instance(1), isAnew: try r.part(2).bool ?? true)
        case "halted":
            let exit = try r.part(5)
            let halt = Halt(
                instance: try r.instance(1), key: try r.string(3), reason: try r.string(4),
                exit: exit == .null ? nil : try Exit(exit), isSuccess: try r.part(6).bool ?? false)
            return .halted(halt, appliedAt: WallTime(nanoseconds: try r.int(2)))
        case "resumed": return .resumed(try r.instance(1))
        default: return nil
        }
    }
}

/// The parts of a note by their place.
private struct NoteReader {
    let parts: [Value]

    func part(_ place: Int) throws(ShapeError) -> Value {
        guard place < parts.count else { throw ShapeError(path: "[\(place)]", expected: "a part") }
        return parts[place]
    }
    func string(_ place: Int) throws(ShapeError) -> String {
        guard let text = try part(place).string else { throw ShapeError(path: "[\(place)]", expected: "a string") }
        return text
    }
    /// Nil where an older daemon wrote less.
    func text(_ place: Int) -> String? { place < parts.count ? parts[place].string : nil }
    func known(_ place: Int) -> LaunchID? {
        place < parts.count ? parts[place].unsigned.map { LaunchID($0) } : nil
    }
    func int(_ place: Int) throws(ShapeError) -> Int64 {
        guard let number = try part(place).int else { throw ShapeError(path: "[\(place)]", expected: "an integer") }
        return number
    }
    func launch(_ place: Int) throws(ShapeError) -> LaunchID {
        guard let number = try part(place).unsigned else { throw ShapeError(path: "[\(place)]", expected: "a launch") }
        return LaunchID(number)
    }
    /// What `Told.parts` are.
    func told() throws(ShapeError) -> Told {
        var told = Told()
        told.isReady = try part(2).bool ?? false
        told.extendedTo = try part(3).int.map { Instant(nanoseconds: $0) }
        told.watchdog = try part(4).int.map { .nanoseconds($0) }
        told.stoppingSince = try part(5).int.map { Instant(nanoseconds: $0) }
        return told
    }
    /// What `HookCall.parts` are.
    func hook() throws(ShapeError) -> LaunchNote? {
        guard let kind = HookKind(rawValue: try string(3)) else { return nil }
        var call = HookCall(
            id: try launch(1), kind, of: try instance(2), definition: try digest(4), about: known(5),
            reason: try string(7), attempt: Int(clamping: try int(8)))
        let end = try part(6)
        if end != .null { call.exit = try Exit(end) }
        call.pid = try part(9).int.map { Int32(truncatingIfNeeded: $0) }
        for port in try part(10).array ?? [] { call.ports.append(try AssignedPort(port)) }
        switch try string(11) {
        case "owed": return .hook(call, .owed)
        case "begun": return .hook(call, .begun(try launch(12), at: try moment(13)))
        case "worked", "failed": return .hook(call, .over(known(12), isSuccess: try string(11) == "worked"))
        default: return nil
        }
    }
    func instance(_ place: Int) throws(ShapeError) -> InstanceID {
        let pair = NoteReader(parts: try part(place).array ?? [])
        guard let id = InstanceID(stack: try pair.string(0), name: try pair.string(1))
        else { throw ShapeError(path: "[\(place)]", expected: "an instance") }
        return id
    }
    func digest(_ place: Int) throws(ShapeError) -> Digest {
        guard let digest = Digest(hex: try string(place)) else {
            throw ShapeError(path: "[\(place)]", expected: "a digest")
        }
        return digest
    }
    func moment(_ place: Int) throws(ShapeError) -> Moment {
        let pair = NoteReader(parts: try part(place).array ?? [])
        return Moment(instant: Instant(nanoseconds: try pair.int(0)), wall: WallTime(nanoseconds: try pair.int(1)))
    }
}

extension Told {
    fileprivate func parts(of launch: LaunchID) -> [Value] {
        func instant(_ instant: Instant?) -> Value { instant.map { .int($0.nanoseconds) } ?? .null }
        return [
            "told", launch.value, .bool(isReady), instant(extendedTo), watchdog.map { .int($0.nanoseconds) } ?? .null,
            instant(stoppingSince),
        ]
    }
}

extension HookCall {
    fileprivate func parts(at stage: HookStage) -> [Value] {
        let call: [Value] = [
            "hook", id.value, instance.value, .string(kind.rawValue), .string(definition.hex), about?.value ?? .null,
            exit?.value ?? .null, .string(reason), .int(Int64(attempt)), pid.map { .int(Int64($0)) } ?? .null,
            .array(ports.map(\.value)),
        ]
        switch stage {
        case .owed: return call + ["owed"]
        case .begun(let launch, let moment): return call + ["begun", launch.value, moment.value]
        case .over(let launch, let isSuccess):
            return call + [isSuccess ? "worked" : "failed", launch?.value ?? .null]
        }
    }
}

extension LaunchID {
    fileprivate var value: Value { .unsigned(number) }
}

extension InstanceID {
    fileprivate var value: Value { [.string(service.stack), .string(name)] }
}

extension Moment {
    fileprivate var value: Value { [.int(instant.nanoseconds), .int(wall.nanoseconds)] }
}
