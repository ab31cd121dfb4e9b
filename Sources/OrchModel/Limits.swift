// SPDX-License-Identifier: Apache-2.0

/// Everything that can grow, and how far. Reaching a limit is a diagnostic or a refusal that names it, never a surprise.
public enum Limits {
    /// Config files of one service.
    public static let configFilesPerService = 100
    /// Bytes of one manifest, include, env file or config file.
    public static let manifestBytes = 8 << 20
    /// Nodes of a manifest after aliases are expanded; counted before anything is copied.
    public static let manifestNodes = 2_000_000
    /// Aliases in one manifest.
    public static let manifestAliases = 10_000
    /// Nesting of a manifest.
    public static let manifestDepth = 64
    /// Manifests of one stack, those that are included among them, and how deep they include each other.
    public static let manifestFiles = 256
    public static let includeDepth = 16
    /// Watch rules of one service.
    public static let watchRules = 16
    /// Files and folders that one watch rule follows.
    public static let watchedFiles = 200_000
    /// How often watched files are looked at where the kernel tells of no change.
    public static let watchPoll = Duration.seconds(2)
    /// How long changes gather before they are looked at.
    public static let watchPause = Duration.milliseconds(50)
    /// How long a command may run that a watch rule asks for.
    public static let watchCommandTime = Duration.seconds(300)
    /// Bytes of one secret.
    public static let secretBytes = 64 << 10
    /// Bytes of a line of a secret that is masked where logs are shown: shorter ones would hide what is none.
    public static let maskedSecretBytes = 4
    /// Locks of one service that are files: each is a descriptor of its processes, from 63 down.
    public static let lockFilesPerService = 8
    /// Sockets of one service: each is a descriptor of its processes, from 3 up.
    public static let socketsPerService = 8
    /// Descriptors that a process is born with beside its three streams: sockets, locks that are files, `ready.fd`. KEEPER_EXTRA_MAX.
    public static let inheritedPerService = 12
    /// Bytes of one scalar in a manifest.
    public static let scalarBytes = 1 << 20
    /// Diagnostics printed for one manifest; what is beyond is counted.
    public static let diagnostics = 200
    /// Services of one stack.
    public static let services = 20_000
    /// Instances of one service.
    public static let replicas = 1_000
    /// Stacks of one daemon.
    public static let stacks = 256
    /// Launches that are ordered and have not executed yet; the next ones wait until some of these have.
    public static let startsAtOnce = 256
    /// Who follows so many instances or more is told of changes together.
    public static let followedAtOnce = 32
    /// How long changes are gathered for such a follower.
    public static let followerRest = Duration.milliseconds(20)
    /// How long the news of a failure wait for what was written before it to be in its file.
    public static let lastWordsWait = Duration.milliseconds(500)
    /// CPUs have numbers below this: the kernel's own bound on x86-64 and arm64 is 8,192, of machines that are sold less than this.
    public static let cpus = 1024
    /// Bytes of argv and environment of one process; the kernel's own bound is a quarter of the stack limit (execve(2)).
    public static let launchBytes = 1 << 20
    /// Bytes of one frame between the programs.
    public static let frameBytes = 64 << 20
    /// Nesting of a value that is read from bytes.
    public static let valueDepth = 64
    /// Scalars, lists and objects of a value that is read from bytes; a stack of 20,000 services has about 3 million.
    public static let valueNodes = 8_000_000
    /// Clients that one daemon serves at a time.
    public static let clients = 512
    /// Terminals that one launch is attached to at a time.
    public static let attachers = 16
    /// How long one that takes nothing holds up the output that it is to show, before it is left out.
    public static let attachPatience = Duration.seconds(1)
    /// Streams (`follow`, `events`) that one client may have under way.
    public static let streamsPerClient = 64
    /// Bytes of the first frame of a client.
    public static let helloBytes = 4096
    /// Occurrences that one `events` answers with; older ones are asked for with an earlier `since` and a target.
    public static let occurrencesPerAnswer = 10_000
    /// Remarks of the daemon on itself that are kept for its status.
    public static let remarks = 100
    /// Messages that wait for a keeper that does not read; more than the keeper has launches.
    public static let keeperBacklog = 65_536
    /// Launch numbers that are reserved on disk at a time.
    public static let launchReservation: UInt64 = 65_536
    /// Bytes waiting for one client before it is cut off.
    public static let clientBacklogBytes = 64 << 20
    /// Occurrences that the daemon keeps in memory for `why` and `events`; older ones are in the store.
    public static let occurrencesInMemory = 20_000
    /// Launches that a new daemon takes over and that the history names one by one; it says how many they are.
    public static let adoptionsTold = 100
    /// Launches that are over and wait in the keeper's table for the history to be written; beyond it is written at once.
    public static let heldReleases = 1_024
    /// And while it can't be, the oldest beyond these are let go: a quarter of what the keeper has room for.
    public static let releasesBeyondHistory = 4_096
    /// Launches that are released in one turn: a thousand at once would keep the loop from what has just died.
    public static let releasesPerTurn = 64
    /// Occurrences that the store keeps.
    public static let storedOccurrences = 100_000
    /// How long the store keeps an occurrence, before the newest one.
    public static let storedOccurrenceAge = Duration.seconds(90 * 24 * 3600)
    /// Applied revisions that the store keeps of one stack, the present one included.
    public static let revisionsPerStack = 50
    /// Changes of one revision that its history tells by name; what is beyond is counted.
    public static let changesPerRevision = 1_000
    /// Launches of a service that its history tells.
    public static let launchesPerHistory = 100
    /// Stacks that were taken down and whose revisions are kept.
    public static let forgottenStacks = 256
    /// Causes kept for one instance, for `why`.
    public static let causesPerInstance = 64
    /// Bytes read from the answer of an HTTP probe.
    public static let probeBodyBytes = 64 << 10
    /// Connections that orch-edge has open at a time; a probe beyond is not asked.
    public static let probeConnections = 8_192
    /// Connections that orch-edge keeps to one server between probes: at most as many as it was asked at once.
    public static let idleConnectionsPerServer = 256
    /// Bytes of one frame between orchd and orch-edge.
    public static let edgeFrameBytes = 4 << 20
    /// Bytes of questions that wait for orch-edge to read them; a probe beyond is not asked.
    public static let edgeBacklogBytes = 16 << 20
    /// What a service may ask for at a time, and how long it may allow itself to be silent (sd_notify(3), EXTEND_TIMEOUT_USEC= and WATCHDOG_USEC=).
    public static let longestExtension = Duration.seconds(24 * 3600)
    /// Bytes of the name of a descriptor that a service hands over (sd_notify(3), FDNAME=).
    public static let storedNameBytes = 255
    /// Bytes kept of what a failing command probe printed.
    public static let probeOutputBytes = 4 << 10
    /// Services that a rehearsal without a wish lets die, one after the other.
    public static let rehearsedServices = 50
    /// How often a mishap of a rehearsal comes at most, where it is counted.
    public static let rehearsedTimes = 1_000
    /// Steps of one stop ladder.
    public static let stopSteps = 16
    /// Longest duration that a manifest may name.
    public static let longestDuration = Duration.seconds(366 * 24 * 3600)
    /// Instances of a task whose runs overlap.
    public static let overlappingRuns = 16
    /// Runs that a schedule can remember.
    public static let runHistory = 1_000
    /// How far ahead a schedule is searched: the same weekday on 29 February is at most 40 years away.
    public static let scheduleHorizon = Duration.seconds(48 * 366 * 24 * 3600)
    /// Bytes of a line that log conversion holds; longer lines are split.
    public static let logLineBytes = 64 << 10
    /// Bytes of a log line that are shown as one; longer ones come in pieces.
    public static let logViewBytes = 1 << 20
    /// Bytes of one log pipe that are looked at before the next one has its turn.
    public static let logTurnBytes = 256 << 10
    /// What a log pipe holds, as the kernel makes it (pipe(7)).
    public static let logPipeBytes = 64 << 10
    /// What a log pipe holds whose writer keeps filling it, and how many of them there are. More than half a megabyte leaves the caches: slower again.
    public static let logWidePipeBytes = 512 << 10
    public static let logWidePipes = 16
    /// Removed segments whose room is not free yet; beyond that the pump waits for the disk.
    public static let logClosing = 8
    /// How long an unfinished line waits for its end before it is written to a file that several pipes share.
    public static let logPartialLineWait = Duration.milliseconds(200)
    /// How long a closed launch's pipe may stay open in other hands before it is given up.
    public static let logDrainWait = Duration.seconds(2)
    /// How long rotated files are not looked at for their age at most: a clock that was set is noticed by then.
    public static let logAgeLook = Duration.seconds(3600)
    /// How long after files were opened their former segments are looked at, all at once.
    public static let logPruneDelay = Duration.milliseconds(100)
    /// Patterns of one service's `logging.redact`, and bytes of one; each line that is shown is searched for all of them.
    public static let redactions = 32
    public static let patternBytes = 1_000
    /// Of a pattern with its repetitions written out (`PatternCost`): what its compilation takes grows with it.
    public static let patternSize = 10_000
    /// Bytes of messages that wait for journald or syslog; what comes beyond is not forwarded.
    public static let forwardBacklogBytes = 1 << 20
    /// How long until messages that wait are tried again.
    public static let forwardLook = Duration.milliseconds(5)
    /// How long after trouble was told that it is over is told at the earliest, so that what comes and goes does not fill the history.
    public static let forwardTold = Duration.seconds(5)
    /// Bytes of a message for syslog; daemons cut longer ones themselves, at 8 KiB or before.
    public static let syslogBytes = 8_192
    /// Bytes at the beginning of a line in which `level=` is looked for.
    public static let levelBytes = 1_024
    /// How long a rotation that was asked for is waited for; a line that has not ended by then is said, and ends it later.
    public static let logRotateWait = Duration.seconds(2)
    /// Threads that move log bytes: one for the daemon's own file system, and one for each other that logs are on. Those beyond share the last.
    public static let logLanes = 8
    /// Bytes of the kernel's list of mounts that are read.
    public static let mountListBytes = 16 << 20
    /// How long a log's file system may take to answer before it is said that it does not.
    public static let logHangTold = Duration.seconds(5)
    /// How long until a log file that could not be written is tried again.
    public static let logRetryWait = Duration.seconds(1)
    /// How often a tree is looked at that has limits which the kernel does not hold it to.
    public static let resourceLook = Duration.seconds(2)
    /// Processor time is held against its limit over so long.
    public static let cpuWindow = Duration.seconds(10)
    /// How often the host is looked at where a stack has thresholds for it.
    public static let hostLook = Duration.seconds(30)
    /// How old what `status` says of memory and processor time may be.
    public static let usageAge = Duration.seconds(1)
}
