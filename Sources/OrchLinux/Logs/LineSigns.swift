// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// A line that a probe of a launch asks for, whichever it is.
public struct LineSign: Hashable, Sendable {
    public var launch: LaunchID
    public var kind: ProbeKind

    public init(launch: LaunchID, kind: ProbeKind) {
        self.launch = launch
        self.kind = kind
    }
}

/// Looks at the lines of a pipe for the probes that ask for one (`health.liveness.log`). Lives on the pump's thread.
///
/// A line that matches is told once somebody has asked, and once for each question: a service that writes many of them wakes nobody.
final class LineSigns {
    private struct Watch {
        let text: String
        let pattern: RegularExpression
        /// A line came, and nobody has asked since.
        var hasCome = false
        var isAsked = false
    }
    private var watches: [ProbeKind: Watch] = [:]
    /// Bytes at the head of the pipe that were looked at and may go on.
    private(set) var seen = 0
    /// The beginning of the line at the head of the pipe has gone on.
    private var isWithinLine = false

    func gave(_ count: Int) { seen = max(0, seen - count) }

    /// From now on lines are held against this pattern; what an earlier one found is forgotten.
    func watch(_ kind: ProbeKind, for text: String) throws(Fault) {
        guard watches[kind]?.text != text else { return }
        watches[kind] = Watch(text: text, pattern: try RegularExpression(text))
    }

    /// Somebody asks. True: a line has come since the question before.
    func ask(_ kind: ProbeKind) -> Bool {
        guard let watch = watches[kind] else { return false }
        watches[kind]?.isAsked = !watch.hasCome
        watches[kind]?.hasCome = false
        return watch.hasCome
    }

    /// Looks at lines of which all but the last one have their end; the last one has it, or is cut here. Returns those to tell of. O(bytes).
    func look(at lines: Span<UInt8>) -> [ProbeKind] {
        var found: [ProbeKind] = []
        var start = 0
        while start < lines.count {
            let newline = LineCut.firstNewline(in: lines, from: start)
            let end = newline ?? lines.count
            if !isWithinLine {
                for kind in ProbeKind.allCases {
                    guard let watch = watches[kind], !watch.hasCome,
                        watch.pattern.firstMatch(in: lines.extracting(start..<end)) != nil
                    else { continue }
                    watches[kind]?.hasCome = !watch.isAsked
                    watches[kind]?.isAsked = false
                    if watch.isAsked { found.append(kind) }
                }
            }
            isWithinLine = newline == nil
            start = end + 1
        }
        seen = lines.count
        return found
    }
}

extension PumpLoop {
    /// Looks for lines in what comes out of `pipe`.
    func watch(_ pipe: LogPipe, for patterns: [ProbeKind: String]) {
        let signs = pipe.signs ?? LineSigns()
        for kind in ProbeKind.allCases {
            guard let text = patterns[kind] else { continue }
            do throws(Fault) { try signs.watch(kind, for: text) } catch {
                return remark("the \(kind.rawValue) probe of launch \(pipe.launch.number) sees no line: \(error.text)")
            }
            pipe.signs = signs
        }
        if pipe.signs != nil { pipe.makeRoomForLines() }
    }

    /// A probe asks for a line.
    func listen(_ sign: LineSign, for pattern: String) {
        var hasCome = false
        for pipe in pipes(of: sign.launch) {
            watch(pipe, for: [sign.kind: pattern])
            if pipe.signs?.ask(sign.kind) ?? false { hasCome = true }
        }
        if hasCome { mailbox.post(.sign(sign)) }
    }

    /// How many bytes at the head of the pipe may go on: whole lines that were looked at. Zero when the line has no end yet.
    func look(_ pipe: LogPipe, _ signs: LineSigns, _ available: Int) throws(LogTrouble) -> Int {
        if signs.seen == 0 {
            let whole = try wholeLines(pipe, available)
            guard whole > 0 else { return 0 }
            let window = scratch.bytes
            for kind in signs.look(at: window.span.extracting(0..<whole)) {
                mailbox.post(.sign(LineSign(launch: pipe.launch, kind: kind)))
            }
        }
        return min(signs.seen, available)
    }
}
