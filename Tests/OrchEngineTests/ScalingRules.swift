// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// `orch scale`: how many instances a person wants.
@Suite struct ScalingRules {
    @Test func moreAndFewer() {
        timeline("instances come and go by hand, the highest first; the others keep their processes; an apply mends it")
        {
            service("web") { $0.replicas = 2 }
            command(.scale(target("web"), replicas: 3), at: 2)
            command(.scale(target("web"), replicas: 1), at: 4)
            applyAgain(at: 6)
            orch("web", "L------")
            orch("web.2", "L---T-L")
            orch("web.3", "--L-T--")
            phases("web.3", "--rr---")
        }
    }

    @Test func itOutlivesDaemonsAndBoots() {
        timeline("what was scaled by hand stays so under the next daemon, and after a boot") {
            service("web")
            command(.scale(target("web"), replicas: 2), at: 1)
            daemon("---✝=-✝B-")
            orch("web", "L-------L")
            orch("web.2", "-L------L")
        }
    }

    @Test func itShowsAsDrift() throws {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var fleet = Fleet(recovering: Recovery(), at: now)
        let request = request([service("web")])
        fleet.observe(.commanded(.apply(try fleet.admit(request, at: now))), at: now)
        let order = Order.scale(target("web"), replicas: 3)
        #expect(
            fleet.departures(after: order).first?.departures == [
                Departure(InstanceID(service: ServiceID(stack: "s", service: "web"), replica: 3), .scaled)
            ])
        fleet.observe(.commanded(order), at: now)
        let plan = try fleet.plan(for: request)
        #expect(plan.changes.map(\.action) == [.scale])
        #expect(plan.changes.first?.because == ["scaled by hand to 3"])
        fleet.observe(.commanded(.scale(target("web"), replicas: 1)), at: now)
        #expect(try fleet.plan(for: request).changes.isEmpty)
        #expect(fleet.departures(of: "s").isEmpty)
    }

    @Test func whatCanNotBeIsRefused() throws {
        let now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        var fleet = Fleet(recovering: Recovery(), at: now)
        let port = service("port") { $0.ports = [PortSpec(port: 80)] }
        fleet.observe(.commanded(.apply(try fleet.admit(request([port, service("web")]), at: now))), at: now)
        for (order, words) in [
            (Order.scale(target("port"), replicas: 2), "can't share the fixed port 80"),
            (.scale(target("web"), replicas: 0), "can't be scaled to 0"),
            (.scale(target("web"), replicas: 1_000_000), "the limit is"),
            (.scale(target("web", 1), replicas: 2), "not a stack or an instance"),
            (.scale(target(), replicas: 2), "not a stack or an instance"),
            (.scale(target("wbe"), replicas: 2), "has no service wbe"),
        ] {
            var message = ""
            do throws(Refusal) { try fleet.admit(order) } catch { message = error.message }
            #expect(message.contains(words), "\(message)")
        }
    }
}
