// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

private let web = LaunchID(1)
private let failing = Specimen { $0.complaint = "it is sick" }
private let slow = Specimen { $0.isSlow = true }
private let soon = Duration.milliseconds(150)

/// Probes and the steps of ladders.
extension Contract {
    static let questions = [
        Case("a question is answered once, with its round") { play in
            try play.begin(web)
            play.ask(web, round: 1)
            try play.expect(web, [.launched, .probed(round: 1, .success)])
            play.ask(web, round: 2)
            try play.expect(web, [.launched, .probed(round: 1, .success), .probed(round: 2, .success)])
        },
        Case("a failure says why") { play in
            try play.begin(web, failing)
            play.ask(web, round: 1, failing)
            try play.expect(web, [.launched, .probed(round: 1, .failure)])
            try play.check(play.words(of: web).contains("it is sick"), "it says \(play.words(of: web))")
        },
        Case("what does not answer in time has failed, and is killed") { play in
            try play.begin(web, slow)
            play.ask(web, round: 1, slow, timeout: soon)
            try play.expect(web, [.launched, .probed(round: 1, .failure)])
            try play.check(play.words(of: web).hasPrefix("no answer within"), "it says \(play.words(of: web))")
            try play.living(1)
        },
        Case("the same question twice is asked once") { play in
            try play.begin(web)
            play.ask(web, round: 1)
            play.ask(web, round: 1)
            try play.expect(web, [.launched, .probed(round: 1, .success)])
        },
        Case("questions that have ended are not answered any more") { play in
            try play.begin(web, slow)
            play.ask(web, round: 1, slow, timeout: soon)
            play.perform(.endProbes(web))
            play.ask(web, round: 2, slow, timeout: soon + soon)
            try play.expect(web, [.launched, .probed(round: 2, .failure)])
            try play.living(1)
        },
        Case("a release ends the questions") { play in
            try play.begin(web, slow)
            play.ask(web, round: 1, slow, timeout: soon)
            play.strike(web)
            try play.expect(web, [.launched, .succeeded, .emptied])
            play.perform(.release(web))
            try play.expect(web, [.launched, .succeeded, .emptied, .drained])
            try play.living(0)
        },
        Case("a question about a launch that nobody knows can't be asked") { play in
            play.ask(web, round: 1)
            try play.expect(web, [.probed(round: 1, .unasked)])
        },
        Case("a look is answered once for what lives, and not for others") { play in
            try play.begin(web)
            var limits = ResourceLimits()
            limits.memory = 1 << 40
            limits.files = 1_000
            play.perform(.measure([web, LaunchID(99)].map { ResourceQuestion(launch: $0, limits: limits) }))
            try play.expect(web, [.launched, .looked])
            play.strike(web)
            try play.expect(web, [.launched, .looked, .succeeded, .emptied])
        },
        Case("a look at the host has all that was asked for") { play in
            play.perform(.measureHost([.disk("/"), .memory]))
            try play.until("the host to be looked at") { play.hasSeenHost([.disk("/"), .memory]) }
        },
        Case("a step ends with its number") { play in
            try play.begin(web, .deaf)
            play.run(step: 2, of: web)
            try play.expect(web, [.launched, .stepEnded(2, worked: true)])
        },
        Case("a step that fails says why") { play in
            var deaf = failing
            deaf.isDeaf = true
            try play.begin(web, deaf)
            play.run(step: 0, of: web, deaf)
            try play.expect(web, [.launched, .stepEnded(0, worked: false)])
            try play.check(play.words(of: web).contains("it is sick"), "it says \(play.words(of: web))")
        },
        Case("a step that takes too long has failed, and is killed") { play in
            var deaf = slow
            deaf.isDeaf = true
            try play.begin(web, deaf)
            play.run(step: 0, of: web, deaf, limit: soon)
            try play.expect(web, [.launched, .stepEnded(0, worked: false)])
            try play.check(play.words(of: web).contains("no answer within"), "it says \(play.words(of: web))")
            try play.living(1)
        },
        Case("the same step twice is run once") { play in
            try play.begin(web, .deaf)
            play.run(step: 0, of: web)
            play.run(step: 0, of: web)
            try play.expect(web, [.launched, .stepEnded(0, worked: true)])
        },
        Case("a step of a launch that nobody knows fails") { play in
            play.run(step: 0, of: web)
            try play.expect(web, [.stepEnded(0, worked: false)])
        },
        Case("an errand is answered once, when nothing of it is left") { play in
            try play.begin(web)
            play.run(errand: 300, of: web)
            play.run(errand: 300, of: web)
            try play.expect(web, [.launched, .errandEnded(worked: true)])
            try play.living(1)
        },
        Case("an errand that fails says why") { play in
            try play.begin(web, failing)
            play.run(errand: 300, of: web, failing)
            try play.expect(web, [.launched, .errandEnded(worked: false)])
            try play.check(play.words(of: web).contains("it is sick"), "it says \(play.words(of: web))")
        },
        Case("an errand that takes too long is killed, and has failed when it is gone") { play in
            try play.begin(web, slow)
            play.run(errand: 300, of: web, slow, limit: soon)
            try play.expect(web, [.launched, .errandEnded(worked: false)])
            try play.check(play.words(of: web).contains("no answer within"), "it says \(play.words(of: web))")
            try play.living(1)
        },
        Case("an errand that is not needed any more is killed and answered, once") { play in
            try play.begin(web, slow)
            play.run(errand: 300, of: web, slow)
            play.perform(.endErrand(web, runner: LaunchID(300)))
            play.perform(.endErrand(web, runner: LaunchID(300)))
            try play.expect(web, [.launched, .errandEnded(worked: false)])
            play.perform(.endErrand(web, runner: LaunchID(300)))
            try play.living(1)
        },
        Case("an errand for a launch that nobody knows fails") { play in
            play.run(errand: 300, of: web)
            try play.expect(web, [.errandEnded(worked: false)])
        },
        Case("every kind of step is answered") { play in
            try play.begin(web, .deaf)
            let actions: [StopSpec.Action] = [.signal(.terminate, to: .tree), .kill]
            for (step, action) in actions.enumerated() {
                let runner = LaunchID(UInt64(300 + step))
                play.perform(.runStep(web, step: step, action, runner: runner, limit: Play.patience))
            }
            try play.until("both ends and the launch's") { play.story(of: web).count >= 5 }
            let story = play.story(of: web)
            let steps = story.filter { if case .stepEnded = $0 { true } else { false } }
            try play.check(
                steps == [.stepEnded(0, worked: true), .stepEnded(1, worked: true)], "the steps are told as \(steps)")
            let others = story.filter { if case .stepEnded = $0 { false } else { true } }
            try play.check(others == [.launched, .killed, .emptied], "its story is \(others)")
            play.accept(web)
        },
    ]
}
