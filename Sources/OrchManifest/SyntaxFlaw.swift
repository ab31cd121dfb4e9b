// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What libyaml can't read, where a person has to look, and what most often is the cause.
struct SyntaxFlaw {
    private let failure: EventStream.Failure
    private let source: Source
    /// Where it is shown.
    private let mark: EventStream.Mark
    private let line: String

    init(_ failure: EventStream.Failure, in source: Source) {
        self.failure = failure
        self.source = source
        // What is never closed is noticed at the end of the file, where nothing is to be mended.
        mark = failure.isOfOpenThing && source.isBlank(from: failure.mark) ? failure.contextMark : failure.mark
        line = source.line(mark.line + 1)
    }

    var diagnostic: Diagnostic {
        var message = failure.problem
        if let context = failure.context {
            message += " \(context)"
            if failure.contextMark.line != mark.line {
                message += " that begins at line \(failure.contextMark.line + 1)"
            }
        }
        return Diagnostic(
            code: "syntax", message,
            at: Position(file: source.name, line: mark.line + 1, column: mark.column + 1), help: remedy)
    }

    private var remedy: String {
        if line.utf8.prefix(mark.column + 1).contains(9) {
            return "YAML is indented with spaces; there is a tab in this line"
        }
        if failure.problem.contains("expected key"), line.dropFirst(mark.column).hasPrefix("-") {
            return "a list is the value of a key, and its dashes stand in one column"
        }
        if line.contains("${"), line.contains("{ ") || line.contains(": {") || line.contains("[") {
            return "inside of { } and [ ] put quotes around \"${…}\""
        }
        return Self.remedies.first {
            failure.problem.contains($0.problem) || failure.context?.contains($0.problem) == true
        }?
        .remedy ?? "is something before this left open, or indented other than its neighbours?"
    }

    /// By a part of libyaml's words (0.2, scanner.c and parser.c); the first that fits.
    private static let remedies: [(problem: String, remedy: String)] = [
        ("unknown escape character", "in double quotes a backslash begins an escape: write \\\\, or use single quotes"),
        ("hexdecimal", "\\x takes two digits from 0 to f, \\u four and \\U eight"),
        ("quoted scalar", "close the quote; a ' inside of single quotes is written twice"),
        ("',' or", "separate what stands in [ ] and { } with commas, and close the bracket"),
        ("flow", "is a bracket or a comma too many, or one missing?"),
        (
            "mapping values",
            "is the line indented as its neighbours are? Put quotes around a text that holds a colon and a blank"
        ),
        ("block sequence entries", "a list begins on a line of its own, under its key"),
        ("'-' indicator", "each item of a list begins with a dash, all in the same column"),
        ("expected key", "keys of one map begin in the same column, and a colon follows each"),
        ("expected ':'", "a key is followed by a colon and a blank"),
        ("cannot start any token", "put quotes around a text that begins with @, ` or %"),
        ("document start", "a line that begins with % is a directive; put quotes around a text that does"),
        ("YAML document", "remove the %YAML line: YAML 1.2 is what is read"),
        ("directive", "remove the line that begins with %"),
        ("tag", "remove what begins with !; only !reset and !override are read"),
        ("anchor", "after & and * stands a name of letters, digits, _ and -"),
        ("alias", "after & and * stands a name of letters, digits, _ and -"),
        ("block scalar", "after | and > stand only a digit, + or -, and the text follows on the next lines"),
        ("indentation", "indent with spaces, and the lines of one map or list equally far"),
    ]
}

extension EventStream.Failure {
    /// A bracket or a quote: the context is where it begins.
    fileprivate var isOfOpenThing: Bool {
        context?.contains("flow") == true || context?.contains("quoted scalar") == true
    }
}

extension Source {
    /// Whether nothing but blanks comes from a place on.
    fileprivate func isBlank(from mark: EventStream.Mark) -> Bool {
        guard let last = bytes.lastIndex(where: { $0 > 32 }) else { return true }
        let end = position(ofByte: last)
        return (mark.line + 1, mark.column + 1) > (end.line, end.column)
    }
}
