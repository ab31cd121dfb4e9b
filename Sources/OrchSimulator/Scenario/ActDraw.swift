// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Acts drawn by chance.
struct ActDraw {
    var stacks: [StackDraw]
    let temper: Temper

    /// One act, or several that belong together.
    mutating func act(_ revisions: inout [Stack], _ dice: inout SplitMix) -> [Act] {
        let place = dice.below(stacks.count)
        if temper.isDeadly, dice.once(in: 8) { return comeback(place, &revisions, &dice) }
        if dice.once(in: 16) { return haste(place, &dice) }
        if dice.once(in: 12) { return [Act(after: dice.span(3_000), .echo)] }
        if dice.once(in: 16) { return [Act(after: dice.span(3_000), .touch(stacks[place].instance(&dice)))] }
        let after = dice.once(in: 4) ? Duration.zero : dice.span(dice.once(in: 5) ? 20_000 : 3_000)
        let deed: Deed
        switch dice.below(10) {
        case 0, 1, 2, 3: deed = command(place, &revisions, &dice)
        case 4, 5:
            deed = .strike(
                stacks[place].instance(&dice), dice.one(of: [.signal(.kill, coreDumped: false), .code(0), .code(1)]))
        case 6: deed = question(place, &revisions, &dice)
        case 7: deed = temper.isCrowded ? crowd(&dice) : command(place, &revisions, &dice)
        case 8:
            deed = temper.isTimeOdd ? time(&dice) : temper.isRough ? trouble(&dice) : command(place, &revisions, &dice)
        default:
            deed =
                temper.isRough
                ? trouble(&dice) : dice.once(in: 3) ? absence(&dice) : .strike(stacks[place].instance(&dice), .code(1))
        }
        var acts = [Act(after: after, deed)]
        if temper.isDeadly, dice.once(in: 3) {
            let again: Int? = dice.once(in: 4) ? dice.below(20) : nil
            let death = Act(
                after: dice.once(in: 2) ? .zero : dice.span(3_000),
                .killDaemon(after: dice.below(14), tears: dice.once(in: 3), again: again))
            if dice.once(in: 2) { acts.append(death) } else { acts.insert(Act(after: after, death.deed), at: 0) }
        }
        return acts
    }

    /// A service goes from the manifest while no daemon is there to stop it, and soon it is wanted again.
    private mutating func comeback(_ place: Int, _ revisions: inout [Stack], _ dice: inout SplitMix) -> [Act] {
        let before = latest(place, revisions)
        let whole = stacks[place]
        stacks[place].leaveOut(&dice)
        guard stacks[place].stack != whole.stack else { return [] }
        revisions.append(stacks[place].stack)
        let deeds = dice.below(3)
        var acts = [
            Act(after: dice.span(4_000), .ask(client: 1, .apply(revision: revisions.count - 1), pieces: 1)),
            Act(after: .zero, .killDaemon(after: deeds, tears: false, again: nil)),
        ]
        if dice.once(in: 2) {
            stacks[place] = whole
            acts.append(Act(after: dice.span(2_000), .ask(client: 1, .apply(revision: before), pieces: 1)))
        }
        return acts
    }

    /// Less time for a stop, and then more again.
    private func haste(_ place: Int, _ dice: inout SplitMix) -> [Act] {
        let target = stacks[place].target(&dice)
        let later: Command =
            dice.once(in: 2)
            ? .down(stack: target.stack, timeout: .seconds(30)) : .stop([target], timeout: .seconds(30))
        return [
            Act(
                after: dice.span(4_000),
                .ask(client: 1, .command(.stop([target], timeout: dice.span(2_500))), pieces: 1)),
            Act(after: dice.span(500), .ask(client: 1, .command(later), pieces: 1)),
        ]
    }

    private mutating func command(_ place: Int, _ revisions: inout [Stack], _ dice: inout SplitMix) -> Deed {
        let client = 1 + dice.below(temper.isCrowded ? 4 : 2)
        let name = stacks[place].stack.name
        let targets = [stacks[place].target(&dice)]
        let question: Question
        switch dice.below(14) {
        case 0, 1: question = .command(.stop(targets, timeout: dice.once(in: 3) ? .seconds(Int64(dice.below(4))) : nil))
        case 2: question = .command(.start(targets))
        case 3, 4: question = .command(.restart(targets))
        case 5:
            question = .command(.down(stack: name, timeout: dice.once(in: 3) ? .seconds(Int64(dice.below(4))) : nil))
        case 6:
            question =
                dice.once(in: 3)
                ? .command(.daemonRestart)
                : dice.once(in: 2) ? rollback(name, revisions, &dice) : .apply(revision: latest(place, revisions))
        case 7: question = dice.once(in: 4) ? .command(.daemonStop) : .apply(revision: latest(place, revisions))
        case 9: question = .command(.reload(targets))
        case 8: question = .command(.signal(targets, dice.one(of: [.hangup, .hangup, .interrupt, .kill])))
        default:
            for _ in 0...dice.below(2) { stacks[place].change(&dice) }
            revisions.append(stacks[place].stack)
            question =
                dice.once(in: 3)
                ? .tryOut(revision: revisions.count - 1, within: .seconds(Int64(1 + dice.below(30))))
                : .apply(revision: revisions.count - 1)
        }
        return .ask(client: client, question, pieces: 1 + dice.below(3))
    }

    /// Back to the revision before, or to one of all that there ever were.
    private func rollback(_ name: String, _ revisions: [Stack], _ dice: inout SplitMix) -> Question {
        let known = revisions.filter { $0.name == name }
        let wanted = dice.once(in: 3) ? nil : known[dice.below(known.count)].digest.short
        return .command(.rollback(RollbackRequest(stack: name, revision: wanted)))
    }

    private func latest(_ place: Int, _ revisions: [Stack]) -> Int {
        let name = stacks[place].stack.name
        return revisions.lastIndex { $0.name == name } ?? 0
    }

    private func question(_ place: Int, _ revisions: inout [Stack], _ dice: inout SplitMix) -> Deed {
        let name = stacks[place].stack.name
        let targets = [stacks[place].target(&dice)]
        let question: Question =
            switch dice.below(8) {
            case 0: .command(.status(dice.once(in: 2) ? nil : targets[0]))
            case 1: .command(.follow(targets, goal: dice.one(of: [.settled, .stopped, .reached(.ready), .forever])))
            case 2: .command(.follow([], goal: .forever))
            case 3: .command(.events(dice.once(in: 2) ? nil : targets[0], since: nil, follow: dice.once(in: 2)))
            case 4: .command(.why(targets[0]))
            case 5: .command(.daemonStatus)
            case 6:
                dice.once(in: 2)
                    ? .diff(revision: dice.below(revisions.count))
                    : .command(.follow([Target(stack: name)], goal: .proven(stacks[place].stack.digest)))
            default: .command(.follow([Target(stack: name)], goal: .gone))
            }
        return .ask(client: 1 + dice.below(temper.isCrowded ? 4 : 2), question, pieces: 1 + dice.below(3))
    }

    private func crowd(_ dice: inout SplitMix) -> Deed {
        switch dice.below(4) {
        case 0: .intrude(dice.one(of: [.stranger, .otherVersion, .noise]))
        case 1: .echo
        default: .vanish(client: 1 + dice.below(4), isRude: dice.once(in: 2))
        }
    }

    private func time(_ dice: inout SplitMix) -> Deed {
        switch dice.below(4) {
        case 0: .step(by: .seconds(Int64(dice.below(7_200)) - 3_600))
        case 1: .suspend(.seconds(Int64(dice.below(36_000))))
        default: .lag(dice.span(5_000))
        }
    }

    private func absence(_ dice: inout SplitMix) -> Deed {
        .lose(dice.one(of: StackDraw.outside + [.lock("/run/x.lock")]), for: dice.span(15_000))
    }

    private func trouble(_ dice: inout SplitMix) -> Deed {
        switch dice.below(10) {
        case 0, 1, 2: .fillDisk(.seconds(Int64(1 + dice.below(30))))
        case 3: .damageHistory(rescues: dice.once(in: 2))
        case 4: .terminate
        case 5, 6: .killKeeper
        case 7, 8: .reboot
        default: .echo
        }
    }
}
