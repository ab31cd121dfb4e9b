// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@Suite struct LevelReaderTests {
    private func json(_ text: String) -> LogLevel? { LevelReader.json(Array(text.utf8).span) }
    private func prefix(_ text: String) -> LogLevel? { LevelReader.prefix(Array(text.utf8).span) }

    @Test(
        arguments: [
            (#"{"level":"error","msg":"x"}"#, .error), (#"{"time":1,"level":"ERROR"}"#, .error),
            (#" { "severity" : "Critical" }"#, .critical), (#"{"lvl":"err"}"#, .error),
            (#"{"level":"fatal"}"#, .critical),
            (#"{"level":"crit"}"#, .critical), (#"{"level":"panic"}"#, .emergency), (#"{"level":"alert"}"#, .alert),
            (#"{"level":"emerg"}"#, .emergency), (#"{"level":50,"msg":"x"}"#, .error), (#"{"level":60}"#, .critical),
            (#"{"level":30}"#, .information), (#"{"level":40}"#, .warning), (#"{"level":"info"}"#, .information),
            (#"{"level":"warn"}"#, .warning), (#"{"log.level":"error"}"#, .error), (#"{"levelname":"ERROR"}"#, .error),
            (#"{"a":{"level":"error"},"level":"info"}"#, .information), (#"{"a":[{"level":"error"}],"b":2}"#, nil),
            (#"{"msg":"\"level\":\"error\""}"#, nil), (#"{"msg":"level","x":"error"}"#, nil),
            (#"{"level":"error","msg":"cut here"#, .error), (#"{"level":"#, nil), (#"{"level":"unheard-of"}"#, nil),
            (#"{"level":null,"severity":"error"}"#, .error), ("error", nil), ("", nil), ("{", nil), (#"{"\"#, nil),
            (#"[{"level":"error"}]"#, nil), (#"{"level":-5}"#, nil), (#"{"level":99999999999999999999}"#, .critical),
        ] as [(String, LogLevel?)]) func theLevelOfAnObjectIsItsMember(_ line: String, _ level: LogLevel?)
    {
        #expect(json(line) == level)
    }

    @Test(
        arguments: [
            ("ERROR something", .error), ("ERROR: something", .error), ("error", .error), ("[error] x", .error),
            ("[ERROR] x", .error), ("E0102 15:04:05.678901 1 main.go:1] x", .error), ("F0102 15:04:05 x", .critical),
            ("W0102 15:04:05 x", .warning), ("I0102 15:04:05 x", .information), ("<3>disk", .error),
            ("<0>dying", .emergency),
            ("<6>hello", .information), ("ts=1 level=error msg=x", .error), ("level=\"error\" x", .error),
            ("lvl=warn x", .warning), ("2026-11-21 21:00:00,123 ERROR x", .error),
            ("2026-11-21T21:00:00.123Z ERROR x", .error), ("2026/11/21 21:00:00 [error] 12#0: x", .error),
            ("[2026-11-21 21:00:00] CRITICAL x", .critical), ("\u{1b}[31mERROR\u{1b}[0m x", .error),
            ("\u{1b}[2m2026-11-21T21:00:00Z\u{1b}[0m \u{1b}[31mERROR\u{1b}[0m x", .error), ("  error x", .error),
            ("FATAL: x", .critical), ("panic: runtime error", .emergency), ("INFO error", .information),
            ("no error here", nil), ("errors: 0", nil), ("error_count 0", nil), ("ERROR5 x", nil), ("terror x", nil),
            ("errorlevel=error", nil), ("E01 x", nil), ("<9>x", nil), ("<33>x", nil), ("", nil), ("1 2 3 4 ERROR", nil),
            ("12345 67890", nil), ("level=", nil), ("<", nil), ("\u{1b}[", nil), ("error=1", nil),
        ] as [(String, LogLevel?)]) func theLevelOfALineIsWhatItBeginsWith(_ line: String, _ level: LogLevel?)
    {
        #expect(prefix(line) == level)
    }

    @Test func errorsAreFromEmergencyToError() {
        #expect(LogLevel.allCases.filter(\.isError) == [.emergency, .alert, .critical, .error])
    }

    /// Each beginning of each line is one that a pipe may end with.
    @Test func noLineIsTooBroken() {
        for line in [#"{"a":"\\","level":"error"}"#, "\u{1b}[31m2026-01-01 [error] level=\"error\" <3>"] {
            let bytes = Array(line.utf8)
            for count in 0...bytes.count {
                _ = LevelReader.json(bytes.span.extracting(0..<count))
                _ = LevelReader.prefix(bytes.span.extracting(0..<count))
            }
        }
    }
}
