// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A start as SVG: a bar an instance.
struct StartPicture {
    var story: StartStory

    private static let rowHeight = 26
    private static let margin = 16
    private static let chart = 480
    private static let letter = 8
    private static let words = 360

    func svg() -> String {
        let labels = 16 + Self.letter * story.parts.reduce(6) { max($0, DisplayWidth.of($1.label)) }
        let left = Self.margin + labels
        let span = max(1, (story.to - story.from).nanoseconds)
        let height = 2 * Self.margin + 24 + Self.rowHeight * max(1, story.parts.count)
        func x(_ time: WallTime) -> Int { left + Int((time - story.from).nanoseconds * Int64(Self.chart) / span) }
        var body = ""
        for quarter in 0...4 {
            let at = left + Self.chart * quarter / 4
            let label = TimeText.elapsed(.nanoseconds(span * Int64(quarter) / 4))
            body += "<path class=\"grid\" d=\"M\(at) \(Self.margin + 18)V\(height - Self.margin)\"/>"
            body +=
                "<text class=\"faint\" x=\"\(at)\" y=\"\(Self.margin + 10)\" text-anchor=\"middle\">\(label)</text>\n"
        }
        for (row, part) in story.parts.enumerated() {
            let top = Self.margin + 24 + row * Self.rowHeight
            let name = Picture.escaped(part.label)
            body += "<text x=\"\(left - 8)\" y=\"\(top + 16)\" text-anchor=\"end\">\(name)</text>"
            for span in part.spans { body += bar(span.phase, x(span.from), x(span.to), top, span.cause) }
            if let end = part.end { body += bar(end, x(part.to), left + Self.chart, top, end.rawValue) }
            let words = Picture.escaped(StartText.words(of: part, since: story.from).text)
            body += "<text class=\"faint\" x=\"\(left + Self.chart + 8)\" y=\"\(top + 16)\">\(words)</text>\n"
        }
        let style =
            "path.grid{stroke:var(--line)}rect{fill:var(--c)}.waiting{opacity:.25}.starting,.running{opacity:.55}"
        return Picture.document(
            width: left + Self.chart + Self.words, height: height, title: "\(story.stack): who started when",
            style: style, body)
    }

    private func bar(_ phase: Phase, _ from: Int, _ to: Int, _ top: Int, _ cause: String) -> String {
        let tint = PictureColour(phase)?.name ?? ""
        return
            "<rect class=\"\(tint) \(phase.rawValue)\" x=\"\(from)\" y=\"\(top + 4)\" width=\"\(max(1, to - from))\" height=\"16\" rx=\"2\">"
            + "<title>\(Picture.escaped(cause))</title></rect>"
    }
}
