// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@testable import OrchCLI

@Suite struct ProgressTests {
    private static let begin = Instant(nanoseconds: 1_000_000_000_000)

    private func frame(_ progress: Progress, after span: Duration, columns: Int = 80, rows: Int = 24) -> [Line] {
        let time = TimeText(now: ScriptedPlatform.start + span, localOffset: { _ in .zero })
        return ProgressFrame(progress: progress, now: Self.begin + span, time: time, columns: columns, rows: rows)
            .lines()
    }

    @Test func oneLineAnInstance() {
        var progress = Progress(title: "shop", aim: .up, startedAt: Self.begin)
        progress.update(.sample("cache", .ready), at: Self.begin)
        progress.update(.sample("db", .starting), at: Self.begin)
        progress.update(.sample("web", .waiting, reason: "waits for db to be ready"), at: Self.begin)
        progress.update(.sample("db", .ready), at: Self.begin + .milliseconds(800))
        #expect(
            frame(progress, after: .milliseconds(1200)).map(\.text) == [
                "shop  2 of 3 ready  1.2s",
                " ✔ cache  ready           ",
                " ✔ db     ready       0.8s",
                " · web    waiting     1.2s  waits for db to be ready",
            ])
    }

    @Test(arguments: [(20, 5), (40, 10), (80, 24)])
    func neverLargerThanTheTerminal(columns: Int, rows: Int) {
        var progress = Progress(title: "shop", aim: .up, startedAt: Self.begin)
        for number in 1...200 {
            let phase: Phase = number == 150 ? .failed : number % 3 == 0 ? .ready : .waiting
            progress.update(
                .sample("worker", phase, reason: "waits for 数据库 to be ready, and that takes long", replica: number),
                at: Self.begin)
        }
        let lines = frame(progress, after: .seconds(1), columns: columns, rows: rows)
        #expect(lines.count < rows)
        for line in lines { #expect(line.width <= columns) }
        #expect(lines.contains { $0.text.contains("✗") })
        #expect(lines.last?.text.contains("more:") == true)
    }

    @Test func theAreaIsReplacedLineByLine() {
        var area = LiveArea(palette: Palette(isColoured: false))
        #expect(area.redraw(["a", "b"]) == "\ra\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
        #expect(area.redraw(["c"]) == "\u{1B}[2A\rc\u{1B}[K\n\u{1B}[J")
        #expect(area.erase() == "\u{1B}[1A\r\u{1B}[J")
    }
}

@Suite struct LineTests {
    @Test func widthsAreThoseOfTerminals() {
        #expect(DisplayWidth.of("abc") == 3)
        #expect(DisplayWidth.of("数据") == 4)
        #expect(DisplayWidth.of("e\u{301}") == 1)
        #expect(DisplayWidth.of("👍") == 2)
        #expect(DisplayWidth.fitted("abcdef", to: 4) == "abc…")
        #expect(DisplayWidth.fitted("数据库", to: 4) == "数…")
    }

    @Test func foreignTextCannotDriveTheTerminal() {
        let line = Line("a\u{1B}[2Jb\r\u{07}\u{9B}\u{202E}")
        #expect(line.rendered(Palette(isColoured: false)) == "a\\e[2Jb\\r\\x07\\x9b\\u{202e}")
    }

    @Test func cuttingKeepsTheStyles() {
        let line = Line("abc", .good) + Line("defgh", .bad)
        #expect(line.fitted(to: 5).text == "abcd…")
        #expect(line.fitted(to: 8) == line)
    }
}
