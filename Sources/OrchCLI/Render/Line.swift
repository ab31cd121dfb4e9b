// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a piece of text means; the palette decides how that looks.
enum Style: Equatable, Sendable {
    case plain
    /// Names and headings.
    case strong
    /// What is only needed on a second look.
    case faint
    case good
    case bad
    case caution
    /// Something is under way.
    case active
    /// One of six that tell services apart.
    case voice(Int)
}

/// Colours on a terminal, nothing elsewhere and never with `NO_COLOR` (https://no-color.org).
struct Palette: Equatable, Sendable {
    var isColoured: Bool

    static let voices = 6

    func painted(_ text: String, _ style: Style) -> String {
        guard isColoured, style != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(code(style))m\(text)\u{1B}[0m"
    }

    private func code(_ style: Style) -> String {
        switch style {
        case .plain: "0"
        case .strong: "1"
        case .faint: "2"
        case .good: "32"
        case .bad: "31"
        case .caution: "33"
        case .active: "36"
        // Not red and green: those mean something.
        case .voice(let number): ["36", "33", "35", "34", "96", "95"][number % Palette.voices]
        }
    }
}

/// A line in pieces, so that it can be measured and cut before it is coloured.
struct Line: Equatable, Sendable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    struct Span: Equatable, Sendable {
        var text: String
        var style: Style
    }
    var spans: [Span]

    init(_ text: String = "", _ style: Style = .plain) { spans = text.isEmpty ? [] : [Span(text: text, style: style)] }
    init(stringLiteral value: String) { self.init(value) }

    static func + (a: Line, b: Line) -> Line {
        var sum = a
        sum.spans += b.spans
        return sum
    }
    static func += (a: inout Line, b: Line) { a.spans += b.spans }

    /// In terminal columns.
    var width: Int { spans.reduce(0) { $0 + DisplayWidth.of(ControlText.escaped($1.text)) } }
    var isEmpty: Bool { spans.allSatisfy(\.text.isEmpty) }
    /// Without its colours.
    var text: String { spans.map(\.text).joined() }

    func padded(to columns: Int, alignedRight: Bool = false) -> Line {
        let missing = columns - width
        guard missing > 0 else { return self }
        let space = Line(String(repeating: " ", count: missing))
        return alignedRight ? space + self : self + space
    }

    /// Cut to `columns`, ended by `…` when something is missing. Nil columns: whole.
    func fitted(to columns: Int?) -> Line {
        guard let columns, width > columns else { return self }
        var result = Line()
        var room = columns
        for span in spans {
            let text = ControlText.escaped(span.text)
            let width = DisplayWidth.of(text)
            // The last span that fits exactly may be followed by others: keep a column for the ellipsis.
            if width < room {
                result.spans.append(span)
                room -= width
                continue
            }
            result.spans.append(Span(text: DisplayWidth.fitted(text + " ", to: room), style: span.style))
            break
        }
        return result
    }

    /// Ready to be written: control characters of whatever origin are visible, and trailing space is gone.
    func rendered(_ palette: Palette) -> String {
        var text = ""
        var pending = ""
        for span in spans {
            let escaped = ControlText.escaped(span.text)
            let body = escaped.dropLastSpaces
            if body.isEmpty {
                pending += escaped
                continue
            }
            text += pending + palette.painted(body, span.style)
            pending = String(repeating: " ", count: escaped.utf8.count - body.utf8.count)
        }
        return text
    }
}

extension String {
    fileprivate var dropLastSpaces: String {
        let bytes = utf8.reversed().drop { $0 == 32 }.count
        return bytes == utf8.count ? self : String(decoding: utf8.prefix(bytes), as: UTF8.self)
    }
}
