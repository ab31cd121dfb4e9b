// SPDX-License-Identifier: Apache-2.0
import OrchModel
import Testing

@testable import OrchCLI

@Suite struct PlanViewTests {
    static let plan = Plan(
        stack: "booking", revision: "1a2b3c4d5e6f7890",
        changes: [
            Change(.create, "migrate", because: ["it is new"]),
            Change(
                .restart, "api", because: ["its definition changed"],
                fields: [
                    FieldChange(path: "environment.PORT", from: "8000", to: "8001", fate: .restart),
                    FieldChange(path: "restart.delay", from: nil, to: "1s", fate: .live),
                ]),
            Change(.remove, "old", because: ["the manifest no longer has it"]),
        ])

    @Test func showsEveryFieldWithBothValuesAndItsFate() {
        let text = PlanView(plan: Self.plan, width: nil).lines().map { $0.rendered(Palette(isColoured: false)) }
        #expect(
            text == [
                "Plan for booking  revision 1a2b3c4d5e6f",
                "",
                "  + migrate  create  because it is new",
                "  ~ api      restart  because its definition changed",
                "             environment.PORT  8000 → 8001  restart",
                "             restart.delay     (none) → 1s  live",
                "  - old      remove  because the manifest no longer has it",
                "",
                "1 to create, 1 to restart, 1 to remove.",
            ])
    }

    @Test func fitsNarrowTerminals() {
        let plan = Plan(
            stack: "s", revision: "",
            changes: [
                Change(
                    .restart, "api", because: ["the content of one of its files is another one than it was"],
                    fields: [
                        FieldChange(
                            path: "command", from: .string(String(repeating: "a", count: 90)), to: "b", fate: .restart)
                    ])
            ])
        for line in PlanView(plan: plan, width: 60).lines() { #expect(line.width <= 60) }
    }

    @Test func saysWhenThereIsNothingToDo() {
        let lines = PlanView(plan: Plan(stack: "s", revision: "", changes: []), width: 80).lines()
        #expect(lines.map(\.text) == ["s is in sync with the manifest: nothing to do."])
    }
}
