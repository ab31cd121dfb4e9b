// SPDX-License-Identifier: Apache-2.0
import HostContract
import Testing

/// The real host keeps to what the mind relies on, whichever way it holds trees.
@Suite struct ContractTests {
    @Test(arguments: Contract.cases, [false, true]) func linuxKeepsTo(rule: Case, session: Bool) throws {
        try rule.play(on: LinuxStage(session: session))
    }
}
