// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct RehearseCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehearse",
        abstract: "Play the manifest in memory: what happens if…",
        discussion: """
            The daemon itself plays, on a machine in memory with a clock that jumps: no process, no file and no running daemon \
            is touched, and hours take milliseconds. The play: apply, until all is up; then what goes wrong, one thing after \
            the other; then down. Without --if every service dies once and its probes fail once.

            \(MishapPhrase.all.map { "--if '\($0.form)': \($0.meaning)." }.joined(separator: "\n"))
            Each may end in `once`, `twice`, `5 times` or `every time`; SERVICE may be one of several (`web.2`).

            Exits 0 when it was played, whatever came of it; 1 when orch broke a rule of its own, which is a bug of orch.
            """)

    @OptionGroup var manifest: ManifestOptions
    @Option(
        name: .customLong("if"), parsing: .singleValue,
        help: ArgumentHelp("Something that goes wrong: 'db dies twice'. May be given again.", valueName: "what"))
    var mishaps: [String] = []
    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "How long a service takes to be ready, or a task to end; default: 1s if it has a probe, `ready` or an end.",
            valueName: "service=duration"))
    var takes: [String] = []
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long each act is watched at most, in its own time.", valueName: "duration"))
    var patience = DurationArgument(.seconds(600))
    @Option(help: ArgumentHelp("Where chance comes from: the same seed gives the same play.", valueName: "number"))
    var seed: UInt64 = 1
    @Flag(help: "Print one object a line: {\"at\",\"world\"|\"event\"|\"act\"|\"outcome\"|\"instance\"|\"end\",…}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let request = try manifest.load(in: context)
        var rehearsal = Rehearsal(request)
        for text in mishaps { rehearsal.mishaps.append(try MishapPhrase.mishap(text, in: request.stack)) }
        for text in takes { rehearsal.takes.append(try span(text, in: request.stack)) }
        rehearsal.patience = patience.span
        rehearsal.seed = seed
        let score = context.platform.play(rehearsal)
        if let refusal = score.refusal { throw Failure(refusal) }
        if json {
            var bytes: [UInt8] = []
            for line in ScoreLines(rehearsal: rehearsal, score: score).values { bytes += JSON.bytes(of: line) + [10] }
            try context.console.write(bytes)
        } else {
            try context.console.print(
                ScoreView(rehearsal: rehearsal, score: score, width: context.console.width).lines())
        }
        guard let violation = score.violations.first else { return .success }
        throw Failure(
            .failed, "orch broke a rule of its own: \(violation)",
            help: "this is a bug of orch, not of the manifest. Report it, please, with this manifest, the command and"
                + " seed \(seed); orch \(OrchVersion.text)")
    }

    private func span(_ text: String, in stack: Stack) throws(Failure) -> ServiceSpan {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2, let span = Duration(text: parts[1]) else {
            throw Failure(.usage, "--takes takes SERVICE=DURATION (`db=2s`), not \"\(text)\"")
        }
        guard let spec = stack.service(parts[0]) else {
            throw Failure(
                .usage, "--takes \(text): the manifest has no service \"\(parts[0])\"",
                help: ServiceNames.help(parts[0], stack.services.map(\.name)))
        }
        guard spec.kind == .task || spec.announcesReadiness || span == .zero else {
            throw Failure(
                .usage, "--takes \(text): \(spec.name) counts as ready as soon as it is executed",
                help: "it has no `ready`, no startup and no readiness probe that could say otherwise")
        }
        return ServiceSpan(spec.name, span)
    }
}
