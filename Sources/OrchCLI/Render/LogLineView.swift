// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// Lines of logs as they are written out: visible and coloured on a terminal, byte for byte into a pipe, or as JSON.
struct LogLineView {
    enum Form {
        case terminal(Palette)
        case bytes
        case json
    }
    /// What is known of a stream's owner.
    struct Voice: Equatable {
        var instance: InstanceID
        var label: String
        var kind: LogStreamKind
        /// Which of the palette's voices: all streams of one service have the same.
        var number: Int
    }

    var form: Form
    /// Whether each line says whose it is.
    var isNamed: Bool
    /// Names are padded to the longest one.
    var nameWidth = 0

    func bytes(of line: LogLine, by voice: Voice) -> [UInt8] {
        switch form {
        case .json: return JSON.bytes(of: value(of: line, by: voice)) + [10]
        case .bytes:
            guard isNamed else { return line.isComplete ? line.bytes + [10] : line.bytes }
            return Array(prefix(voice).text.utf8) + line.bytes + [10]
        case .terminal(let palette):
            let text = Line(Self.text(of: line))
            return Array(((isNamed ? prefix(voice) + text : text).rendered(palette) + "\n").utf8)
        }
    }

    /// A remark of orch itself between the lines.
    func remark(_ text: String, style: Style, on voice: Voice) -> Line { prefix(voice) + Line(text, style) }

    private func prefix(_ voice: Voice) -> Line {
        Line(voice.label, .voice(voice.number)).padded(to: nameWidth) + Line(" | ", .voice(voice.number))
    }

    /// `{"time","stack","service","instance","launch","stream","line"}`; what is no UTF-8 in a line is replaced.
    private func value(of line: LogLine, by voice: Voice) -> Value {
        [
            "time": .optional(line.time?.rfc3339), "stack": .string(voice.instance.service.stack),
            "service": .string(voice.instance.service.service), "instance": .string(voice.instance.name),
            "launch": line.launch.map { .unsigned($0.number) } ?? .null, "stream": .string(voice.kind.rawValue),
            "line": .string(Self.text(of: line)),
        ]
    }

    /// What a terminal ended it with is no part of it.
    private static func text(of line: LogLine) -> String {
        String(decoding: line.bytes.last == 13 ? line.bytes.dropLast() : line.bytes[...], as: UTF8.self)
    }
}
