// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import Testing

/// `sockets`: what may be open for a service, and until when.
@Suite struct SocketRules {
    private let id = ServiceID(stack: "s", service: "web")
    private let http = SocketSpec(name: "http", listen: .tcp(host: "127.0.0.1", port: 80))
    private let admin = SocketSpec(name: "admin", listen: .file("/run/admin.sock"))

    /// A fleet by hand: what it says of sockets, in order.
    private struct Life {
        var fleet: Fleet
        var now = Moment(instant: Instant(nanoseconds: 1_000_000_000), wall: WallTime(nanoseconds: 0))
        private(set) var launches: [LaunchID] = []

        init(_ adjust: (inout Recovery) -> Void = { _ in }) {
            var recovery = Recovery()
            recovery.isNewBoot = false
            adjust(&recovery)
            fleet = Fleet(recovering: recovery, at: now)
        }

        mutating func hear(_ events: Event...) -> [Effect] {
            for event in events { fleet.observe(event, at: now) }
            let effects = fleet.reconcile(at: now)
            for effect in effects { if case .launch(let order) = effect { launches.append(order.launch) } }
            return effects.filter { if case .sockets = $0 { true } else { false } }
        }

        mutating func apply(_ specs: ServiceSpec...) throws -> [Effect] {
            hear(.commanded(.apply(try fleet.admit(request(specs), at: now))))
        }

        /// The newest launch runs.
        mutating func starts() -> [Effect] {
            hear(.launched(launches.last ?? LaunchID(0), pid: 1, ports: [], tracking: "cgroup"))
        }

        mutating func ends(_ launch: LaunchID? = nil, _ exit: Exit = .code(1)) -> [Effect] {
            let launch = launch ?? launches.last ?? LaunchID(0)
            return hear(.exited(launch, exit), .emptied(launch))
        }

        mutating func pass(_ time: Duration) -> [Effect] {
            now.instant = now.instant + time
            return hear()
        }
    }

    @Test func aCrashKeepsThemOpenAndAStopByHandDoesNot() throws {
        var life = Life()
        let web = service("web") { $0.sockets = [http, admin] }
        #expect(try life.apply(web) == [.sockets(id, [http, admin], former: nil)])
        #expect(life.starts() == [])
        #expect(life.ends() == [], "a retry is waited for")
        #expect(life.pass(.seconds(5)) == [] && life.launches.count == 2)
        #expect(life.starts() == [])
        #expect(life.hear(.commanded(.restart([target("web")]))) == [])
        #expect(life.ends() == [] && life.launches.count == 3)
        #expect(life.starts() == [])
        #expect(life.hear(.commanded(.stop([target("web")], timeout: nil))) == [], "it still serves")
        #expect(life.ends(nil, .code(0)) == [.sockets(id, [], former: nil)])
        #expect(life.hear(.commanded(.start([target("web")]))) == [.sockets(id, [http, admin], former: nil)])
        #expect(life.starts() == [])
        #expect(life.hear(.commanded(.down(stack: "s", timeout: nil))) == [])
        #expect(life.ends(nil, .code(0)) == [.sockets(id, [], former: nil)])
    }

    /// Connections that nobody is going to accept are better refused.
    @Test func whatHasFailedHasNone() throws {
        var life = Life()
        let web = service("web") {
            $0.sockets = [http]
            $0.restart.policy = .no
        }
        #expect(try life.apply(web) == [.sockets(id, [http], former: nil)])
        #expect(life.starts() == [])
        #expect(life.ends() == [.sockets(id, [], former: nil)])
        #expect(try life.apply(web) == [.sockets(id, [http], former: nil)])
        // It never executes, and the reason is final.
        let launch = life.launches.last ?? LaunchID(0)
        let fault = Fault(step: "listen at", subject: "tcp://127.0.0.1:80", reason: "address already in use")
        #expect(life.hear(.launchFailed(launch, fault, isScarcity: false)) == [.sockets(id, [], former: nil)])
        #expect(life.hear(.emptied(launch)) == [])
    }

    @Test func anUpdateOpensTheNewOnesAndClosesTheOldOnesWithWhoeverServesThem() throws {
        var life = Life()
        let web = service("web") {
            $0.sockets = [http, admin]
            $0.update.order = .startFirst
        }
        _ = try life.apply(web)
        #expect(life.starts() == [])
        var other = web
        other.sockets = [http]
        #expect(try life.apply(other) == [], "the former launch serves both")
        #expect(life.launches.count == 2)
        #expect(life.starts() == [], "its successor is ready, and it is told to go")
        #expect(life.ends(life.launches[0], .code(0)) == [.sockets(id, [http], former: nil)])
    }

    @Test func replicasShareThem() throws {
        var life = Life()
        let web = service("web") {
            $0.sockets = [http]
            $0.replicas = 2
        }
        #expect(try life.apply(web) == [.sockets(id, [http], former: nil)])
        let first = life.launches[0]
        for launch in life.launches {
            #expect(life.hear(.launched(launch, pid: 1, ports: [], tracking: "cgroup")) == [])
        }
        #expect(life.hear(.commanded(.stop([target("web")], timeout: nil))) == [])
        #expect(life.ends(first, .code(0)) == [], "the other one serves")
        #expect(life.ends(nil, .code(0)) == [.sockets(id, [], former: nil)])
    }

    @Test func anotherNameTakesThemAlong() throws {
        var life = Life()
        _ = try life.apply(service("web") { $0.sockets = [http] })
        #expect(life.starts() == [])
        let site = service("site") {
            $0.sockets = [http]
            $0.renamedFrom = "web"
        }
        let moved = ServiceID(stack: "s", service: "site")
        #expect(try life.apply(site) == [.sockets(moved, [http], former: id)])
        #expect(life.hear(.commanded(.stop([target("site")], timeout: nil))) == [])
        #expect(life.ends(nil, .code(0)) == [.sockets(moved, [], former: nil)])
    }

    @Test func aNewDaemonClosesWhatNobodyNeeds() throws {
        let web = service("web") { $0.sockets = [http] }
        let former = Life()
        let applied = try former.fleet.admit(request([web]), at: former.now)
        let nobody = ServiceID(stack: "gone", service: "web")
        var life = Life {
            $0.stacks = [applied]
            $0.sockets = [OpenSockets(nobody, [admin]), OpenSockets(id, [http])]
        }
        #expect(life.hear() == [.sockets(nobody, [], former: nil)])
        #expect(life.launches.count == 1, "\(life.launches)")
        var stopped = Life {
            $0.stacks = [applied]
            $0.departures = [Departure(InstanceID(service: id, replica: 1), .stopped)]
            $0.sockets = [OpenSockets(id, [http])]
        }
        #expect(stopped.hear() == [.sockets(id, [], former: nil)])
        var none = web
        none.replicas = 0
        let scaled = try former.fleet.admit(request([none]), at: former.now)
        var empty = Life {
            $0.stacks = [scaled]
            $0.sockets = [OpenSockets(id, [http])]
        }
        #expect(empty.hear() == [.sockets(id, [], former: nil)], "scaled to nothing as the former one died")
    }
}
