// SPDX-License-Identifier: Apache-2.0

/// A place between two effects that outlive the process, where a test may end it: as if it was killed just there. Reached in debug builds
/// only; elsewhere nothing is compiled in. One test run for each (`Tests/ConformanceTests/FailpointTests.swift`).
public enum Failpoint: String, CaseIterable, Sendable {
    // MARK: What outlives a boot

    /// A file is whole and synced beside its place, which still has the former one.
    case fileWritten = "file-written"
    /// It has its name; the folder is not synced.
    case fileRenamed = "file-renamed"
    /// The revision has its file; the pointer is the former one.
    case revisionSaved = "revision-saved"
    /// The pointer names the new revision; what is not needed any more is still there.
    case pointerSaved = "pointer-saved"
    /// A stack's departures and schedules are forgotten; its pointer is there.
    case departuresForgotten = "departures-forgotten"
    /// Its history is put away; its pointer is there.
    case historyKept = "history-kept"
    /// Launch numbers are reserved in their file, not in the database.
    case numbersReserved = "numbers-reserved"
    /// Events are in a transaction that is not committed.
    case eventsInserted = "events-inserted"
    /// Events are committed; nothing was released for it.
    case eventsWritten = "events-written"
    /// A departure is committed; nothing was stopped for it.
    case departuresSaved = "departures-saved"

    // MARK: What outlives a daemon

    /// A note is written; what it speaks of is not done.
    case noteWritten = "note-written"
    /// The notes are written anew beside their place.
    case notesRewritten = "notes-rewritten"
    /// And have it.
    case notesReplaced = "notes-replaced"
    /// The launch's surroundings are on record; it has no control group.
    case contextSaved = "context-saved"
    /// A socket is open and on record; the keeper does not hold it.
    case socketNoted = "socket-noted"
    /// It does; no launch was made with it.
    case socketHeld = "socket-held"
    /// The file of a socket is gone; the keeper holds it.
    case socketUnlinked = "socket-unlinked"
    /// All is ready for the keeper's child; the keeper was not asked.
    case launchPrepared = "launch-prepared"
    /// The keeper was asked; nothing reads the pipes.
    case launchAsked = "launch-asked"
    /// The keeper has told that a child exists.
    case birthHeard = "birth-heard"
    /// It has told an end; nothing was made of it.
    case endHeard = "end-heard"
    /// A signal is on its way; nobody noted that.
    case signalSent = "signal-sent"
    /// What a launch wrote is in its file; the keeper holds its end.
    case outputDrained = "output-drained"
    /// The keeper may forget a launch; its control group and record are there.
    case launchReleased = "launch-released"
    /// Its control group is gone; its record is there.
    case groupRemoved = "group-removed"
    /// What was asked for is durable; the one who asked was not answered.
    case answerReady = "answer-ready"
    /// He was.
    case answerSent = "answer-sent"

    // MARK: Taking over

    /// The keeper has told all; nothing was adopted.
    case handOverHeard = "hand-over-heard"
    /// All is adopted; what nobody knows still runs.
    case launchesAdopted = "launches-adopted"
    /// That is gone; the notes are those of the former daemon.
    case leftoversCleared = "leftovers-cleared"
    /// The daemon serves, and has not said so to the keeper.
    case daemonReady = "daemon-ready"
    /// It has; no turn of its loop was done.
    case daemonServing = "daemon-serving"
    /// All is written; the keeper does not know that the daemon goes.
    case daemonLeaving = "daemon-leaving"

    // MARK: Logs

    /// The index tells of bytes that are still in the pipe.
    case indexNoted = "index-noted"
    /// Bytes are in the file; the pump has noted nothing of it.
    case bytesSpliced = "bytes-spliced"
    /// Converted bytes are in the file and in the pipe.
    case blockWritten = "block-written"
    /// The file is a segment; there is no new one.
    case segmentRenamed = "segment-renamed"
    /// There is; the index still has the former one's name.
    case segmentFollowed = "segment-followed"
    /// The compressed segment is whole, hidden, and has no index.
    case segmentPacked = "segment-packed"
    /// It has its name; the plain one is there too.
    case segmentDoubled = "segment-doubled"
    /// The plain one is gone; its index is there.
    case segmentReplaced = "segment-replaced"
    /// Of a segment that is one too many the index is gone, and nothing else.
    case segmentForgotten = "segment-forgotten"

    // MARK: The keeper

    /// A child's descriptors are where it finds them; there is none.
    case childPrepared = "child-prepared"
    /// It exists; nobody was told.
    case childBorn = "child-born"
    /// How a child ended is in the table; it is not reaped.
    case endRecorded = "end-recorded"
    /// It is reaped; the table has not come to its end.
    case endReaped = "end-reaped"
    /// A launch has its place in the table, and waits for its start.
    case launchQueued = "launch-queued"
    /// A child is in the table; nobody was told.
    case birthRecorded = "birth-recorded"
    /// The daemon was told what a launch has come to; the table does not say so.
    case factTold = "fact-told"
    /// The daemon has acknowledged an end; its pipes are let go, its place is not free.
    case endAcknowledged = "end-acknowledged"
    /// All is handed over; nothing that the daemon says was read.
    case handOverTold = "hand-over-told"
    /// The daemon's death is known; there is no other one.
    case daemonReaped = "daemon-reaped"
    /// There is; it has not heard a word.
    case daemonForked = "daemon-forked"
    /// All is written down for the keeper's next program, which is not executed.
    case legacyWritten = "legacy-written"
    /// It is executed and has read that; it holds nothing else yet.
    case legacyInherited = "legacy-inherited"

    /// It is the keeper that ends there, not the daemon.
    public var isKeepers: Bool {
        [
            .childPrepared, .childBorn, .endRecorded, .endReaped, .launchQueued, .birthRecorded, .factTold,
            .endAcknowledged, .handOverTold, .daemonReaped, .daemonForked, .legacyWritten, .legacyInherited,
        ].contains(self)
    }

    /// It is reached by an upgrade only.
    public var isRenewals: Bool { [.legacyWritten, .legacyInherited].contains(self) }
}
