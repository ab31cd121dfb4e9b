// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel
import OrchSimulator
import Testing

/// Long chains and wide fans plan, start, die, recover and stop: no recursion, and no work that grows with the square.
@Suite struct ScaleTests {
    @Test func aStartBringsAWholeChain() throws {
        var large = LargeFleet(.chain, count: 500)
        try large.start()
        large.forgetOrder()
        large.command(.stop([Target(stack: "s")], timeout: nil))
        expectOrder(large.stopped, .chain, 500)
        large.forgetOrder()
        large.command(.start([Target(stack: "s", service: large.request.stack.services.last?.name)]))
        #expect(large.launched == Array(0..<500))
    }

    @Test(arguments: [(LargeFleet.Shape.chain, 5_000), (.manyNeedOne, 10_000), (.oneNeedsMany, 10_000)])
    func largeGraphsLiveTheirWholeLife(shape: LargeFleet.Shape, count: Int) throws {
        var large = LargeFleet(shape, count: count)
        #expect(try large.fleet.plan(for: large.request).changes.count == count)
        let all = [Target(stack: "s")]

        try large.start()
        #expect(large.launched == Array(0..<count), "each need is launched before who needs it")
        #expect(large.fleet.verdict(on: .settled, for: all) == .reached)
        var fleet = large.fleet
        #expect(fleet.takeChanged().count == count)
        #expect(try large.fleet.plan(for: large.request).isInSync)

        large.replaceDaemon()
        #expect(large.fleet.verdict(on: .settled, for: all) == .reached)
        #expect(large.launchCounts.allSatisfy { $0 == 1 })

        large.forgetOrder()
        for place in [0, count / 2, count - 1] { large.crash(place) }
        #expect(large.launched == [0, count / 2, count - 1], "an end touches nobody else")

        large.forgetOrder()
        large.command(.down(stack: "s", timeout: nil))
        expectOrder(large.stopped, shape, count)
        #expect(large.fleet.isEmpty)
        #expect(large.fleet.deadline == nil)
    }

    /// Nothing is told to stop before what needs it is gone.
    private func expectOrder(_ stopped: [Int], _ shape: LargeFleet.Shape, _ count: Int) {
        #expect(stopped.count == count)
        switch shape {
        case .chain: #expect(stopped == Array((0..<count).reversed()))
        case .manyNeedOne: #expect(stopped.last == 0)
        case .oneNeedsMany: #expect(stopped.first == count - 1)
        case .threes: break
        }
    }
}
