// SPDX-License-Identifier: Apache-2.0

internal import OrchEngine
public import OrchModel

/// What one launch does in the machine in memory. Chosen by a script or a seed before it begins.
public struct SimulatedLife: Equatable, Sendable {
    /// From the order to the execution.
    public var execution = Duration.milliseconds(1)
    /// It never executes.
    public var fault: Fault?
    public var isScarcity = false
    /// From the execution until its probes succeed, and it says READY=1 if asked to.
    public var readyAfter = Duration.zero
    /// It ends by itself so long after its execution.
    public var endsAfter: Duration?
    public var exit = Exit.code(0)
    /// From a signal to the end; nil is deaf to anything but SIGKILL.
    public var stopsWithin: Duration? = .milliseconds(2)
    /// A child outlives the main process by so long, unless the tree is signalled or killed: it is in a
    /// session of its own.
    public var childOutlives: Duration?
    /// From SIGKILL to the end: long for uninterruptible sleep.
    public var diesWithin = Duration.milliseconds(1)
    /// Its probes fail for good so long after its execution.
    public var sickensAfter: Duration?
    /// It uses more memory than it may from so long after its execution on.
    public var swellsAfter: Duration?
    /// It is well for so long, then sick for so long, and so on.
    public var wavers: Duration?
    /// A question is answered so long after it was asked.
    public var answersAfter = Duration.milliseconds(1)
    /// So many kills miss something that forks faster.
    public var escapes = 0
    /// A task that never ends by itself.
    public var isEndless = false
    /// A step of its ladder that is not a signal can't be done.
    public var refusesSteps = false
    /// A step of its ladder that is not a signal takes so long.
    public var stepsTake = Duration.milliseconds(1)
    /// Somebody else holds its pipe, so that it drains so much later.
    public var drainsAfter = Duration.milliseconds(1)
    public init() {}
}

extension SimulatedLife {
    /// So long after its execution.
    func isSick(at age: Duration) -> Bool {
        let isLow = wavers.map { age.nanoseconds / max(1, $0.nanoseconds) % 2 == 1 } ?? false
        return isLow || sickensAfter.map { age >= $0 } ?? false
    }

    /// What a look finds: of memory half of what it may have, or twice as much.
    func sample(of question: ResourceQuestion, age: Duration) -> ResourceSample {
        var sample = ResourceSample(launch: question.launch)
        let isSwollen = swellsAfter.map { age >= $0 } ?? false
        sample.memoryBytes = question.limits.memory.map { isSwollen ? $0 * 2 : $0 / 2 }
        sample.cpuTime = age / 100
        sample.pids = 1
        sample.files = 3
        sample.threads = 1
        return sample
    }
}
