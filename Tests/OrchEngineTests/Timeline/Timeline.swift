// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// A rule of the semantics as a drawing that anybody can review:
///
///     timeline("a crash rests, then starts again") {
///         service("db")
///         service("api", needs: ["db"]) { $0.restart.delay = .seconds(2) }
///         //              0    5    10
///         world("api",   "---r---x---r--")    // what happens
///         orch("api",    "L--------L----")    // what orch does
///     }
///
/// `Letters` says what they mean. The manifest is applied in column 0. A failure prints the expected and the actual drawing under each
/// other, and what happened.
func timeline(
    _ rule: String, column: Duration = .seconds(1), at location: SourceLocation = #_sourceLocation,
    @TimelineBuilder _ lines: () -> [TimelineLine]
) {
    if let failure = failure(of: rule, column: column, lines()) {
        Issue.record("\(failure)", sourceLocation: location)
    }
}

/// Draws it, and says what is not as drawn; nil when all is.
func failure(of rule: String, column: Duration = .seconds(1), _ lines: [TimelineLine]) -> String? {
    var script = TimelineScript(column: column)
    for line in lines { script.take(line) }
    guard script.mistakes.isEmpty else { return "\(rule): not a drawing: \(script.mistakes.joined(separator: "; "))" }
    var world = DrawnWorld(script)
    world.run()
    let complaints = script.complaints(about: world)
    guard !complaints.isEmpty else { return nil }
    let story = world.story.map { "  \($0)" }.joined(separator: "\n")
    return "\(rule)\n\(complaints.joined(separator: "\n"))\nwhat happened:\n\(story)"
}

/// One line of a timeline.
enum TimelineLine {
    case service(ServiceSpec)
    case row(TimelineRow.Kind, of: String, String)
    case daemon(String)
    case command(Order, at: Int)
    case change((inout [ServiceSpec]) -> Void, at: Int)
    /// The apply of that column is taken back if it fails, or takes longer.
    case promise(within: Duration, at: Int)
    /// Back to the revision before.
    case rollback(at: Int)
    /// What `status` says the reason is, at the end of the column: it contains the text.
    case reason(String, at: Int, String)
    /// History tells of it in that column; its cause contains the text.
    case told(String, Occurrence.Kind, at: Int, String)
    /// What a hook that begins in that column finds in its environment: an entry contains the text.
    case hook(String, at: Int, String)
    case verdict(Goal, at: Int, Verdict)
    /// At the end of the drawing nothing is due: it sleeps for ever.
    case asleep
    case jump(ClockJump)
    case files(Event, at: Int)
    case use(TimelineUse)
    case thresholds(HostThresholds)
    case hostUse(Double, from: Int)
}

/// What happens to an instance.
func world(_ instance: String, _ drawing: String) -> TimelineLine { .row(.world, of: instance, drawing) }
/// What orch does to it.
func orch(_ instance: String, _ drawing: String) -> TimelineLine { .row(.orch, of: instance, drawing) }
/// Who each of the signals in its `orch` row went to.
func heard(_ instance: String, _ drawing: String) -> TimelineLine { .row(.heard, of: instance, drawing) }
/// When its probes were asked.
func asked(_ instance: String, _ drawing: String) -> TimelineLine { .row(.asked, of: instance, drawing) }
/// Where it stands.
func phases(_ instance: String, _ drawing: String) -> TimelineLine { .row(.phases, of: instance, drawing) }
/// What happens to the daemon.
func daemon(_ drawing: String) -> TimelineLine { .daemon(drawing) }
/// A person's command. Commands of one column come after its applies, in the order of the lines.
func command(_ order: Order, at column: Int) -> TimelineLine { .command(order, at: column) }
/// A person applies the manifest with one service changed; changes of one column are one apply.
func change(_ name: String, at column: Int, _ adjust: @escaping (inout ServiceSpec) -> Void) -> TimelineLine {
    .change({ for index in $0.indices where $0[index].name == name { adjust(&$0[index]) } }, at: column)
}
/// The clock on the wall is set, forward or back.
func clockIsSet(by span: Duration, at column: Int) -> TimelineLine {
    .jump(ClockJump(at: column, span: span, isAsleep: false))
}
/// The machine sleeps: of the clocks only that of deadlines stands still.
func machineSleeps(for span: Duration, at column: Int) -> TimelineLine {
    .jump(ClockJump(at: column, span: span, isAsleep: true))
}
/// Watched files change: what the first rule of a service is about.
func files(of service: String, _ names: [String], at columns: Int...) -> [TimelineLine] {
    columns.map { .files(.changed(ServiceID(stack: "s", service: service), rule: 0, names), at: $0) }
}
/// From that column on a look at an instance's tree finds this; drawn in the order of time.
func uses(_ instance: String, from column: Int, _ write: @escaping (inout ResourceSample) -> Void) -> TimelineLine {
    .use(TimelineUse(of: instance, from: column, write: write))
}
/// How full the host may get, as the manifest says.
func host(_ thresholds: HostThresholds) -> TimelineLine { .thresholds(thresholds) }
/// From that column on a look at the host finds so much of it used, 0...1.
func host(isFull part: Double, from column: Int) -> TimelineLine { .hostUse(part, from: column) }
/// A person applies the manifest without a service.
func remove(_ name: String, at column: Int) -> TimelineLine {
    .change({ $0.removeAll { $0.name == name } }, at: column)
}
/// A person applies the manifest with one service more.
func add(_ spec: ServiceSpec, at column: Int) -> TimelineLine { .change({ $0.append(spec) }, at: column) }
/// A person applies the same manifest again.
func applyAgain(at column: Int) -> TimelineLine { .change({ _ in }, at: column) }
/// What a person applies in that column is with `--rollback-on-failure`.
func promise(within span: Duration = .seconds(60), at column: Int) -> TimelineLine {
    .promise(within: span, at: column)
}
/// A person goes back to the revision before.
func rollback(at column: Int) -> TimelineLine { .rollback(at: column) }
func reason(_ instance: String, at column: Int, _ text: String) -> TimelineLine { .reason(instance, at: column, text) }
func told(_ instance: String, _ kind: Occurrence.Kind, at column: Int, _ text: String = "") -> TimelineLine {
    .told(instance, kind, at: column, text)
}
func hook(_ name: String, at column: Int, knows text: String) -> TimelineLine { .hook(name, at: column, text) }
func verdict(on goal: Goal, at column: Int, is verdict: Verdict) -> TimelineLine { .verdict(goal, at: column, verdict) }
/// At the end nothing is due.
var asleep: TimelineLine { .asleep }

@resultBuilder enum TimelineBuilder {
    static func buildExpression(_ spec: ServiceSpec) -> [TimelineLine] { [.service(spec)] }
    static func buildExpression(_ line: TimelineLine) -> [TimelineLine] { [line] }
    static func buildExpression(_ lines: [TimelineLine]) -> [TimelineLine] { lines }
    static func buildBlock(_ lines: [TimelineLine]...) -> [TimelineLine] { lines.flatMap { $0 } }
    static func buildArray(_ lines: [[TimelineLine]]) -> [TimelineLine] { lines.flatMap { $0 } }
    static func buildOptional(_ lines: [TimelineLine]?) -> [TimelineLine] { lines ?? [] }
}
