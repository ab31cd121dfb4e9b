// SPDX-License-Identifier: Apache-2.0

import HostContract
import Testing

/// The machine in memory keeps to what the real one keeps to: what is proven on it holds there.
@Suite struct ContractTests {
    @Test(arguments: Contract.cases) func theMachineInMemoryKeepsTo(rule: Case) throws {
        try rule.play(on: SimulatedStage())
    }
}
