// SPDX-License-Identifier: Apache-2.0

/// The waits of the machine itself; what services are given is in their manifest.
enum Patience {
    /// An ended main process leaves its children so long to end by themselves before the ladder clears them.
    static let clearing = Duration.milliseconds(100)
    /// A step that waits for nothing is over after so long: the next one comes with a turn of its own.
    static let step = Duration.milliseconds(1)
    /// A kill is repeated so often while something is left.
    static let killAgain = Duration.seconds(1)
    /// Something that outlives SIGKILL so long is `stuck`.
    static let stuck = Duration.seconds(10)
    /// A launch whose service is gone has so long to end before it is killed; the default grace of a stop.
    static let stray = Duration.seconds(10)
    /// What the machine lacked (descriptors, memory, processes) is tried again after so long.
    static let scarcity = Duration.seconds(1)
    /// A hook that follows an end has so long, though the time that the stop was given is over.
    static let lateHook = Duration.seconds(5)
    /// A probe whose verdict turns so often within so long flaps: its history says so.
    static let flapTurns = 6
    static let flapWindow = Duration.seconds(60)
    /// Closed launches whose late words are still told.
    static let closedLaunches = 64
    /// So many actions of a watch rule may follow each other as they come; from then on they have at least this distance, doubled each time up
    /// to the second. A change that comes so long after the last action is not its doing, and all begins anew.
    static let watchFree = 3
    static let watch = Duration.seconds(1)
    static let watchAtMost = Duration.seconds(60)
    static let watchRest = Duration.seconds(10)
    /// What keeps within its limit for so long has recovered.
    static let relief = Duration.seconds(10)
    /// A loop that wakes by more too late was away, and so were the services.
    static let lateness = Duration.seconds(2)
    /// A scheduled instant that is noticed later than this was missed; before, it only runs late.
    static let missed = Duration.seconds(60)
    /// A clock that is set back by more was wrong before, as cron(8) has it.
    static let clockCorrection = Duration.seconds(3 * 3_600)
    /// A time zone is read again after so long.
    static let zone = Duration.seconds(24 * 3_600)
    /// What a start waits for outside is asked again so long after the first refusal, each time twice as long after the last ...
    static let askFirst = Duration.milliseconds(250)
    /// ... and never longer than this.
    static let askAtMost = Duration.seconds(5)
    /// One such question may take so long.
    static let askTimeout = Duration.seconds(5)
    /// What was there so long ago is asked once more before a start.
    static let answerHolds = Duration.seconds(5)
}
