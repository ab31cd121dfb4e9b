// SPDX-License-Identifier: Apache-2.0

/// A place in a file; line and column count from 1, columns in Unicode scalars as libyaml counts them.
public struct Position: Hashable, Sendable, ValueCodable {
    public var file: String
    public var line: Int
    public var column: Int
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
    /// `orch.yaml:14:3`.
    public var text: String { "\(file):\(line):\(column)" }
    public var value: Value { .array([.string(file), .int(Int64(line)), .int(Int64(column))]) }
    public init(_ value: Value) throws(ShapeError) {
        guard let parts = value.array, parts.count == 3, let file = parts[0].string, let line = parts[1].int,
            let column = parts[2].int
        else { throw ShapeError(path: "", expected: "a position") }
        self.init(file: file, line: Int(clamping: line), column: Int(clamping: column))
    }
}

/// One thing that is wrong, or will never take effect, in the user's text.
public struct Diagnostic: Equatable, Sendable {
    public enum Severity: String, Sendable { case error, warning }
    public var severity: Severity
    /// A stable word for machines and search engines, such as `unknown-key`.
    public var code: String
    public var message: String
    public var position: Position?
    /// The text of the line at `position`, for the caret.
    public var sourceLine: String?
    /// How many columns the caret underlines.
    public var width: Int
    /// What to do about it.
    public var help: String?

    public init(
        _ severity: Severity = .error, code: String, _ message: String, at position: Position? = nil,
        sourceLine: String? = nil, width: Int = 1,
        help: String? = nil
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.position = position
        self.sourceLine = sourceLine
        self.width = width
        self.help = help
    }
}
