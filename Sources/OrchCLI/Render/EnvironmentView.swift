// SPDX-License-Identifier: Apache-2.0
internal import OrchManifest
internal import OrchModel

/// The variables of one service: each with its value, where it comes from and what that hides.
struct EnvironmentView {
    let variables: [ExplainedVariable]

    func lines(width: Int?) -> [Line] {
        var table = Table([
            Table.Column(heading: "NAME", minimum: 8), Table.Column(heading: "VALUE", minimum: 12),
            Table.Column(heading: "FROM", minimum: 20),
        ])
        for variable in variables {
            table.rows.append(
                Table.Row(cells: [Line(variable.name), Self.text(variable), Line(Self.words(variable.source))]))
            for source in variable.hidden {
                table.rows.append(Table.Row(cells: [Line(), Line(), Line("hides \(Self.words(source))", .faint)]))
            }
        }
        let rest =
            "Each launch adds ORCH_STACK, ORCH_SERVICE, ORCH_INSTANCE, ORCH_REPLICA, ORCH_LAUNCH, ORCH_RUN and, with ports, PORT."
        return table.lines(width: width) + [Line(), Line(rest, .faint)]
    }

    private static func text(_ variable: ExplainedVariable) -> Line {
        if let secret = variable.secret { return Line("(the secret \(secret))", .faint) }
        guard let text = variable.text else { return Line("(unset)", .faint) }
        // One row each.
        return Line(text.replacing("\t", with: "\\t").replacing("\n", with: "\\n"))
    }

    private static func words(_ source: ExplainedVariable.Source) -> String {
        source.title + (source.position.map { " at \($0.text)" } ?? "")
    }

    /// `[{"name","value","from":{"source","file","line","column"},"hides":[…]}]`.
    var value: Value {
        .array(
            variables.map { variable in
                [
                    "name": .string(variable.name), "value": .optional(variable.text),
                    "secret": .optional(variable.secret),
                    "from": Self.value(of: variable.source), "hides": .array(variable.hidden.map(Self.value)),
                ]
            })
    }

    private static func value(of source: ExplainedVariable.Source) -> Value {
        [
            "source": .string(source.title), "file": .optional(source.position?.file),
            "line": source.position.map { .int(Int64($0.line)) } ?? .null,
            "column": source.position.map { .int(Int64($0.column)) } ?? .null,
        ]
    }
}
