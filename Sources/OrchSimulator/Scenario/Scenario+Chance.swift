// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// Scenarios drawn from a seed. Each part of a life is drawn by a function of its own, so that a new feature is one function more.
extension Scenario {
    public init(seed: UInt64) {
        var dice = SplitMix(seed: seed)
        var stacks = [StackDraw("s", &dice)]
        if dice.below(5) == 0 { stacks.append(StackDraw("t", &dice)) }
        var revisions = stacks.map(\.stack)
        var acts: [Act] = []
        for place in stacks.indices {
            acts.append(
                Act(
                    after: .milliseconds(Int64(dice.below(50))),
                    .ask(client: 1, .apply(revision: place), pieces: 1 + dice.below(2))))
        }
        var draw = ActDraw(stacks: stacks, temper: Temper(&dice))
        for _ in 0..<(3 + dice.below(9)) { acts += draw.act(&revisions, &dice) }
        let quirks = draw.stacks.flatMap { $0.quirks(draw.temper, &dice) }
        self.init(seed: seed, revisions: revisions, acts: acts, quirks: quirks)
    }
}

/// What kind of life it is: most are troubled in a few ways only, so that each kind of trouble is also seen alone.
struct Temper {
    var isDeadly: Bool
    var isRough: Bool
    var isCrowded: Bool
    var isTimeOdd: Bool
    var isSick: Bool

    init(_ dice: inout SplitMix) {
        isDeadly = dice.below(2) == 0
        isRough = dice.below(4) == 0
        isCrowded = dice.below(4) == 0
        isTimeOdd = dice.below(5) == 0
        isSick = dice.below(4) > 0
    }
}

extension SplitMix {
    mutating func span(_ milliseconds: Int) -> Duration { .milliseconds(Int64(below(milliseconds))) }
    /// True once in so many.
    mutating func once(in count: Int) -> Bool { below(count) == 0 }
    mutating func one<T>(of items: [T]) -> T { items[below(items.count)] }
}
