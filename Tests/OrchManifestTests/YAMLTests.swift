// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@testable import OrchManifest

/// What YAML 1.2 means by a text, with its core schema (chapter 10.3), as far as libyaml reads it. One line of a table a case:
/// what is written, and what it is as JSON.
@Suite struct YAMLTests {
    /// What is read, or the code of what is wrong.
    static func read(_ text: String) -> String {
        let source = Source(name: "case", bytes: Array(text.utf8))
        var tree = Tree()
        var reporter = Reporter()
        var expanded = 0
        if let flaw = source.flaw(what: "a case") { return "error \(flaw.code)" }
        let root = TreeBuilder.build(source, file: 0, into: &tree, counting: &expanded, reporter: &reporter)
        if let first = reporter.diagnostics.first { return "error \(first.code)" }
        return root.map { json($0, tree) } ?? "nothing"
    }

    private static func json(_ id: NodeID, _ tree: Tree) -> String {
        switch tree.kind(id) {
        case .sequence: return "[\(tree.slots(id).map { json($0, tree) }.joined(separator: ","))]"
        case .mapping:
            let entries = tree.entries(id).map { "\(quoted(tree.text($0.key))):\(json($0.value, tree))" }
            return "{\(entries.joined(separator: ","))}"
        case .scalar:
            if tree.isNull(id) { return "null" }
            let node = tree[id]
            let scalar = Decoder.Scalar(text: node.text, isPlain: node.isPlain, tag: node.tag)
            switch scalar.meaning {
            case .null: return "null"
            case .boolean(let flag): return "\(flag)"
            case .integer(let number): return "\(number)"
            case .number(let number): return "\(number)"
            case .text: return quoted(node.text)
            }
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case "\"", "\\": result += "\\\(scalar)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// Plain scalars: null, booleans, integers, floats, and what only looks like one.
    static let scalars: [(String, String)] = [
        ("null", "null"), ("Null", "null"), ("NULL", "null"), ("~", "null"), ("", "null"), ("nULL", #""nULL""#),
        ("nil", #""nil""#), ("none", #""none""#),
        ("true", "true"), ("True", "true"), ("TRUE", "true"), ("false", "false"), ("False", "false"),
        ("FALSE", "false"), ("tRUE", #""tRUE""#),
        ("yes", #""yes""#), ("Yes", #""Yes""#), ("no", #""no""#), ("NO", #""NO""#), ("on", #""on""#),
        ("off", #""off""#),
        ("y", #""y""#), ("n", #""n""#),
        ("0", "0"), ("-0", "0"), ("7", "7"), ("-19", "-19"), ("+12", "12"), ("685230", "685230"),
        ("9223372036854775807", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775808"),
        ("0o7", "7"), ("0o14", "12"), ("0o755", "493"), ("0xC", "12"), ("0x3A", "58"), ("0xfF", "255"),
        ("0o8", #""0o8""#), ("0xG", #""0xG""#), ("0x", #""0x""#), ("0o", #""0o""#), ("-0x1", #""-0x1""#),
        ("+0o7", #""+0o7""#), ("0b101", #""0b101""#), ("0X1", #""0X1""#), ("0O7", #""0O7""#),
        ("1_000", #""1_000""#), ("1,000", #""1,000""#), ("12:30", #""12:30""#), ("190:20:30", #""190:20:30""#),
        ("1.2.3", #""1.2.3""#), ("1.5", "1.5"), ("-1.5", "-1.5"), ("+1.5", "1.5"), (".5", "0.5"), ("-.5", "-0.5"),
        ("5.", "5.0"), ("0.", "0.0"), ("-0.0", "-0.0"), ("1e3", "1000.0"), ("1E3", "1000.0"), ("12e03", "12000.0"),
        ("1e+3", "1000.0"), ("25e-1", "2.5"), ("-2E+05", "-200000.0"), ("1.5e2", "150.0"), (".5e1", "5.0"),
        ("685.230_15", #""685.230_15""#), ("1e", #""1e""#), ("e3", #""e3""#), (".", #"".""#),
        ("+", #""+""#), ("1e3.5", #""1e3.5""#), ("1 2", #""1 2""#), ("--1", #""--1""#), ("+-1", #""+-1""#),
        (".inf", "inf"), (".Inf", "inf"), (".INF", "inf"), ("-.inf", "-inf"), ("+.inf", "inf"), (".nan", "nan"),
        (".NaN", "nan"), (".NAN", "nan"), ("inf", #""inf""#), ("nan", #""nan""#), ("-.nan", #""-.nan""#),
        (".iNf", #"".iNf""#), ("2001-12-14", #""2001-12-14""#),
        ("2001-12-14t21:59:43.10-05:00", #""2001-12-14t21:59:43.10-05:00""#),
        ("<<", #""<<""#), ("=", #""=""#), ("a b", #""a b""#), ("a#b", #""a#b""#), ("a #b", #""a""#), ("a:b", #""a:b""#),
        ("::x", #""::x""#), ("-x", #""-x""#), ("?x", #""?x""#), ("http://x/#y", #""http://x/#y""#),
        ("a, b", #""a, b""#),
        ("'1'", #""1""#), ("\"1\"", #""1""#), ("\"true\"", #""true""#), ("'null'", #""null""#), ("''", #""""#),
        ("\"\"", #""""#), ("'~'", #""~""#),
        // Decimals with a leading zero are text here: whether 010 is eight or ten, people differ.
        ("010", #""010""#), ("-010", #""-010""#), ("00", #""00""#), ("007.5", #""007.5""#), ("0.5", "0.5"),
        // What no Int64 holds is still a number.
        ("9223372036854775808", "9.223372036854776e+18"),
    ]

    /// In a block, and in brackets where that can be.
    @Test(arguments: scalars) func plainScalarsMeanWhatTheCoreSchemaSays(_ written: String, _ meant: String) {
        #expect(Self.read("it: \(written)\n") == "{\"it\":\(meant)}")
        if written.isEmpty || written == "::x" || written.contains(where: { ",?".contains($0) })
            || written.contains(" #")
        {
            return
        }
        #expect(Self.read("[ \(written) ]") == "[\(meant)]")
    }

    static let texts: [(String, String)] = [
        // Tags.
        ("!!str 12", #""12""#), ("!!str true", #""true""#), ("!!str", #""""#), ("!!int 12", "12"), ("! 12", #""12""#),
        ("!!null null", "null"), ("!!bool true", "true"), ("!!float 1.5", "1.5"), ("!!seq [1]", "[1]"),
        ("!!map { a: 1 }", #"{"a":1}"#), ("!<tag:yaml.org,2002:str> 1", #""1""#), ("!mine 1", "error tag"),
        ("%TAG !e! tag:yaml.org,2002:\n---\n!e!str 1\n", #""1""#), ("!e!str 1", "error syntax"),
        // Quotes.
        (#""a\tb\nc\\d\"e\/f""#, #""a\tb\nc\\d\"e/f""#), (#""\x41\u00e9\U0001F600""#, "\"Aé😀\""),
        (#""\0""#, "\"\0\""), (#""\a\b\e\f\v""#, "\"\u{7}\u{8}\u{1B}\u{C}\u{B}\""),
        (#""\N\_\L\P""#, "\"\u{85}\u{A0}\u{2028}\u{2029}\""), (#""\q""#, "error syntax"), (#""\x4""#, "error syntax"),
        ("\"a\n  b\n\n  c\"", #""a b\nc""#), ("\"a \\\n  b\"", #""a b""#), ("\"a\\\n  \\ b\"", #""a b""#),
        ("'it''s'", #""it's""#), (#"'a\nb'"#, #""a\\nb""#), ("'a\n  b\n\n  c'", #""a b\nc""#),
        ("\"open", "error syntax"), ("'open", "error syntax"), ("\"\\ud83d\"", "error syntax"),
        // Plain over several lines.
        ("a\n  b\n\n  c", #""a b\nc""#), ("k: a\n  b", #"{"k":"a b"}"#), ("k: a\n\n\n  b", #"{"k":"a\n\nb"}"#),
        ("k: 1\n  2", #"{"k":"1 2"}"#),
        // Literal blocks, with each chomping and indentation.
        ("k: |\n  a\n  b\n", #"{"k":"a\nb\n"}"#), ("k: |-\n  a\n  b\n\n", #"{"k":"a\nb"}"#),
        ("k: |+\n  a\n\n\n", #"{"k":"a\n\n\n"}"#), ("k: |\n\n  a\n\n", #"{"k":"\na\n"}"#),
        ("k: |\n  a\n    b\n  c\n", #"{"k":"a\n  b\nc\n"}"#), ("k: |2\n    a\n", #"{"k":"  a\n"}"#),
        ("k: |2-\n    a\n", #"{"k":"  a"}"#), ("k: |-2\n    a\n", #"{"k":"  a"}"#),
        ("k: |\n  a # b\n", #"{"k":"a # b\n"}"#),
        ("k: | # b\n  a\n", #"{"k":"a\n"}"#), ("k: |\n", #"{"k":""}"#), ("k: |+\n\n", #"{"k":"\n"}"#),
        ("k: |\n  a\nb: 1\n", #"{"k":"a\n","b":1}"#), ("k: |\n  ${X} \\n 'q'\n", #"{"k":"${X} \\n 'q'\n"}"#),
        ("k: |\n  a", #"{"k":"a"}"#), ("k: |\n  true\n", #"{"k":"true\n"}"#), ("k: |0\n  a\n", "error syntax"),
        // Folded ones.
        ("k: >\n  a\n  b\n", #"{"k":"a b\n"}"#), ("k: >-\n  a\n  b\n\n  c\n", #"{"k":"a b\nc"}"#),
        ("k: >+\n  a\n\n", #"{"k":"a\n\n"}"#), ("k: >\n  a\n    b\n  c\n", #"{"k":"a\n  b\nc\n"}"#),
        ("k: >\n  a\n\n\n  b\n", #"{"k":"a\n\nb\n"}"#), ("k: >\n  * a\n  * b\n", #"{"k":"* a * b\n"}"#),
        ("k: >\n  a\n  \tb\n", #"{"k":"a\n\tb\n"}"#),
        // Flow.
        ("[a, b]", #"["a","b"]"#), ("[a, b, ]", #"["a","b"]"#), ("[]", "[]"), ("{}", "{}"),
        ("{a: 1, b: }", #"{"a":1,"b":null}"#),
        ("{a, b: 1}", #"{"a":null,"b":1}"#), ("[a: 1, b]", #"[{"a":1},"b"]"#), ("{\"a\":1}", #"{"a":1}"#),
        ("[a\n, b]", #"["a","b"]"#), ("{ a: [1, { b: 2 }] }", #"{"a":[1,{"b":2}]}"#), ("[a, , b]", "error syntax"),
        ("[a, b", "error syntax"), ("{ a: b c: d }", "error syntax"), ("[a b]", #"["a b"]"#),
        ("[a # c\n, b]", #"["a","b"]"#),
        ("[? a : 1]", #"[{"a":1}]"#), ("{? a : 1}", #"{"a":1}"#), ("[http://x]", #"["http://x"]"#), ("a]", #""a]""#),
        // Blocks.
        ("- a\n- b", #"["a","b"]"#), ("-\n  a\n- \n", #"["a",null]"#), ("- - a\n  - b\n- c", #"[["a","b"],"c"]"#),
        ("- a: 1\n  b: 2\n- c: 3", #"[{"a":1,"b":2},{"c":3}]"#), ("k:\n- a\n- b", #"{"k":["a","b"]}"#),
        ("k:\n  a: 1\n\n  # c\n  b: 2", #"{"k":{"a":1,"b":2}}"#), ("? a\n: 1\n? b\n", #"{"a":1,"b":null}"#),
        ("a: 1\n b: 2", "error syntax"), ("a:\n  - b\n c: 1", "error syntax"), ("a:\n\tb: 1", "error syntax"),
        ("a: b: c", "error syntax"), ("- a\nb: 1", "error syntax"), ("a: 1\na: 2", "error duplicate-key"),
        ("a: 1\n\"a\": 2", "error duplicate-key"), ("1: a\n'1': b", "error duplicate-key"),
        ("{a: 1, a: 2}", "error duplicate-key"),
        ("[a]: b", "error key"), ("? {a: 1}\n: b", "error key"), ("\"a b\": 1\n'c': 2", #"{"a b":1,"c":2}"#),
        ("1: a\ntrue: b\nnull: c\n1.50: d", #"{"1":"a","true":"b","null":"c","1.50":"d"}"#), (": a", "error syntax"),
        // Documents and directives.
        ("---\na: 1\n...\n", #"{"a":1}"#), ("--- a\n", #""a""#), ("--- |\n a\n", #""a\n""#),
        ("a: 1\n---\nb: 2\n", "error documents"),
        ("%YAML 1.2\n---\na: 1\n", #"{"a":1}"#), ("%YAML 1.1\n---\nyes", #""yes""#),
        ("%YAML 2.0\n---\na\n", "error syntax"),
        ("# only\n", "error empty"), ("---\n", "null"), ("---\n...\n---\n", "error documents"),
        ("\u{FEFF}a: 1", #"{"a":1}"#),
        ("a: 1\r\nb: 2\r\n", #"{"a":1,"b":2}"#), ("a: 1\rb: 2", #"{"a":1,"b":2}"#), ("@a", "error syntax"),
        ("`a", "error syntax"),
        // Anchors, aliases and merge keys.
        ("- &x a\n- *x", #"["a","a"]"#), ("a: &x { b: 1 }\nc: *x", #"{"a":{"b":1},"c":{"b":1}}"#),
        ("- &x a\n- &x b\n- *x", #"["a","b","b"]"#), ("- *x", "error alias"), ("&x [*x]", "error alias"),
        ("&x a: 1\nb: *x", #"{"a":1,"b":"a"}"#), ("- &x\n- *x", "[null,null]"),
        ("a: &x !!str 1\nb: *x", #"{"a":"1","b":"1"}"#),
        ("a: &x { k: 1, l: 1 }\nb: { <<: *x, l: 2 }", #"{"a":{"k":1,"l":1},"b":{"l":2,"k":1}}"#),
        (
            "a: &x { k: 1 }\nc: &y { k: 2, m: 3 }\nb: { <<: [*x, *y] }",
            #"{"a":{"k":1},"c":{"k":2,"m":3},"b":{"k":1,"m":3}}"#
        ),
        ("'<<': 1", #"{"<<":1}"#), ("<<: 1", "error merge"), ("<<: [1]", "error merge"),
        ("<<: { a: 1 }\n<<: { b: 2 }", #"{"a":1,"b":2}"#),
        // Unicode.
        ("k: é😀漢", "{\"k\":\"é😀漢\"}"), ("é: 1", "{\"é\":1}"), ("k: \u{7F}", "error encoding"),
        ("k: \u{1}", "error encoding"),
        ("k: a\u{A0}b", "{\"k\":\"a\u{A0}b\"}"), ("k: a\tb", #"{"k":"a\tb"}"#), ("k:\ta", #"{"k":"a"}"#),
    ]

    @Test(arguments: texts) func textsMeanWhatTheSpecificationSays(_ written: String, _ meant: String) {
        #expect(Self.read(written) == meant)
    }
}
