// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What a command writes with: lines become text here, coloured for a terminal and plain for everything else.
struct Console {
    let platform: any Platform
    private let isColourWanted: Bool

    init(_ platform: any Platform) {
        self.platform = platform
        // https://no-color.org: set and not empty. A dumb terminal can't do it either.
        let environment = platform.environment
        let refuses = environment.contains { $0.name == "NO_COLOR" && !$0.text.isEmpty }
        let isDumb = environment.contains { $0.name == "TERM" && $0.text == "dumb" }
        isColourWanted = !refuses && !isDumb
    }

    func isTerminal(_ stream: OutputStream = .output) -> Bool { platform.terminal(of: stream) != nil }
    /// Nil when lines may be as long as they like.
    var width: Int? { platform.terminal(of: .output)?.columns }
    func palette(_ stream: OutputStream = .output) -> Palette {
        Palette(isColoured: isColourWanted && isTerminal(stream))
    }
    /// Whether a picture may be drawn in place.
    var canDraw: Bool { isTerminal() && !platform.environment.contains { $0.name == "TERM" && $0.text == "dumb" } }

    var time: TimeText { TimeText(now: platform.now.wall, localOffset: { [platform] in platform.localOffset(at: $0) }) }

    func print(_ lines: [Line]) throws(Failure) {
        let palette = palette()
        var text = ""
        for line in lines { text += line.rendered(palette) + "\n" }
        try write(text)
    }

    func print(_ line: Line) throws(Failure) { try print([line]) }

    /// Text as it is, on standard output. Whoever stops reading (`| head`) has what they wanted: the command ends quietly.
    func write(_ text: String) throws(Failure) { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws(Failure) {
        guard !bytes.isEmpty else { return }
        let isRead: Bool
        do throws(Fault) { isRead = try platform.write(bytes, to: .output) } catch { throw Failure(.failed, error) }
        guard isRead else { throw Failure(.success) }
    }

    /// Text as it is, on standard error. When that can't be written there is nobody left to be told.
    func writeError(_ text: String) { _ = try? platform.write(Array(text.utf8), to: .errors) }

    /// A remark on standard error that is no failure.
    func remark(_ line: Line) { writeError(line.rendered(palette(.errors)) + "\n") }

    /// The terminal has just echoed `^C`: what follows takes its place.
    func coverInterrupt() {
        guard isTerminal(.errors) else { return }
        writeError("\r\u{1B}[K")
    }

    func report(_ failure: Failure) {
        if failure.exit == .interrupted { coverInterrupt() }
        guard !failure.message.isEmpty else { return }
        remark(Line("orch: ", .bad) + Line(failure.message))
        if let help = failure.help { remark(Line("help: ", .active) + Line(help)) }
    }
}
