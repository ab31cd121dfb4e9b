// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// What trees use.
extension FleetWorld {
    mutating func measure(_ questions: [ResourceQuestion]) {
        for question in questions {
            guard let process = processes.first(where: { $0.launch == question.launch && $0.isMainAlive }) else {
                violate("a look at a launch that does not live")
                continue
            }
            let age = now.instant - process.orderedAt - process.life.execution
            schedule(.measured(process.life.sample(of: question, age: age)), after: .milliseconds(1))
        }
    }
}
