// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@Suite struct PatternCostTests {
    @Test(
        arguments: [
            ("abc", 3), ("a{3}", 3), ("(ab){3}c", 7), ("a{2,5}", 5), ("a{2,}", 2), ("a{3}{4}", 12), ("[a-z]{4}", 4),
            ("[]x]{2}", 2), ("[[:alpha:]_]{3}", 3), ("[^]a]b", 2), ("\\{9", 2), ("a|bc", 3), ("(a|b)+", 2), ("", 0),
            ("((a{9}){9}){9}", 729), ("{5}", 0),
        ] as [(String, Int)]) func sizeCountsWhatIsWrittenOut(_ pattern: String, _ size: Int)
    {
        #expect(PatternCost(pattern).size == size)
    }

    @Test(arguments: [
        "((a{999}){999}){999}", "(((a{32767}){32767}){32767}){32767}", "(a{101}){100}", "a{99999999999999999999}",
    ])
    func whatWouldFillTheMemoryIsBeyondTheLimit(_ pattern: String) {
        #expect(PatternCost(pattern).size > Limits.patternSize)
    }

    @Test func backReferencesAreSeen() {
        #expect(PatternCost("(a*)\\1").hasBackReference)
        #expect(!PatternCost("a\\\\1").hasBackReference, "a backslash and a digit")
        #expect(!PatternCost("[\\1]").hasBackReference, "in brackets a backslash is one")
    }

    /// Whatever is written, there is an answer.
    @Test(arguments: ["(", ")", "[", "[[:", "{", "a{", "\\", "[^", "a{,}", "(((", "[]", "a{1,2"])
    func noTextIsTooBroken(
        _ pattern: String
    ) {
        #expect(PatternCost(pattern).size <= 10)
    }
}

@Suite struct SharedRedactionTests {
    @Test func whoAppendsToOneFileHidesWhatAnyOfThemHides() {
        func service(_ name: String, _ path: String?, _ redact: [String]) -> ServiceSpec {
            var spec = ServiceSpec(name: name, command: .exec([name]), workingDirectory: "/")
            if let path { spec.logging.stdout = .append(path) }
            spec.logging.redact = redact
            return spec
        }
        let stack = Stack(
            name: "s",
            services: [
                service("a", "/app.log", ["x"]), service("b", "/app.log", ["y", "x"]),
                service("c", "/other.log", ["z"]),
                service("d", "/app.log", []), service("e", nil, ["w"]),
            ])
        func redactions(_ name: String) -> [String] { stack.service(name).map(stack.redactions) ?? ["?"] }
        #expect(redactions("a") == ["x", "y"])
        #expect(redactions("d") == ["x", "y"])
        #expect(redactions("c") == ["z"] && redactions("e") == ["w"])
    }
}
