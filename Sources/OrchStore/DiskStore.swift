// SPDX-License-Identifier: Apache-2.0

public import OrchDaemon
public import OrchEngine
public import OrchModel

/// What outlives a boot, in one folder: `revisions/` and `stacks/` as synced files, the rest in `orch.db`. What is damaged is
/// set aside under another name, said, and built anew; the rest is not touched by it. For one thread and one process.
public final class DiskStore: Store {
    private let folder: DurableFolder
    private var shelf: RevisionShelf
    private var history: History?
    private var remarks: [String] = []
    /// Departures that could still be read from a database that was set aside.
    private var rescued: [Departure] = []

    /// What names the present boot: part of what is kept is of one boot only.
    private let boot: String

    /// Makes the folder (0700) where it is missing; its parent must exist.
    public init(directory: String, boot: String) throws(Fault) {
        self.boot = boot
        folder = try DurableFolder(making: directory)
        shelf = try RevisionShelf(in: directory, boot: boot)
        _ = try folder.names(cleaning: true)
        try openHistory()
    }

    /// The applied stacks, for a program that only reads: nothing is made, set aside or opened for writing.
    public static func peek(at directory: String) throws(Fault) -> StoredState {
        var state = StoredState()
        state.stacks = try RevisionShelf(in: directory, boot: nil).load(settingAside: false, remarks: &state.remarks)
        return state
    }

    public func load() throws(Fault) -> StoredState {
        var state = StoredState()
        state.stacks = try shelf.load(settingAside: true, remarks: &remarks)
        let departures = try attempt("read the departures in") { history throws(DatabaseError) in
            try history.departures()
        }
        let boots = try attempt("read the departures in") { history throws(DatabaseError) in
            try history.bootsOfDepartures()
        }
        for departure in departures {
            let isOfThisBoot = boots[departure.instance.service.stack].map { $0 == boot } ?? true
            if isOfThisBoot { state.departures.append(departure) } else { state.formerDepartures.append(departure) }
        }
        for applied in state.stacks {
            guard let fallback = applied.trial?.fallback else { continue }
            let name = applied.request.stack.name
            do throws(Fault) {
                if let found = try shelf.revision(fallback, of: name) { state.fallbacks.append(found) }
            } catch { remarks.append(error.text) }
        }
        state.marks = try attempt("read the schedules in") { history throws(DatabaseError) in try history.marks() }
        let stored = try attempt("read") { history throws(DatabaseError) in try history.nextLaunch() }
        state.nextLaunch = LaunchID(max(stored ?? 1, try reservedInFile()))
        state.remarks = remarks
        remarks = []
        return state
    }

    public func save(_ applied: AppliedStack) throws(Fault) {
        try shelf.save(applied) {
            // A history that can't be read is none: the apply stands without it.
            let name = applied.request.stack.name
            return
                (try? attempt("read the revisions in") { history throws(DatabaseError) in
                    try history.revisions(of: name)
                }) ?? []
        }
    }

    public func history(of stack: String) throws(Fault) -> [AppliedRevision] { try shelf.history(of: stack) }

    public func revision(_ digest: Digest, of stack: String) throws(Fault) -> AppliedStack? {
        try shelf.revision(digest, of: stack)
    }

    public func forget(stack: String) throws(Fault) {
        try save(departures: [], of: stack)
        try attempt("forget the schedules in") { history throws(DatabaseError) in try history.forgetMarks(of: stack) }
        Failpoint.departuresForgotten.reach()
        try shelf.forget(stack: stack)
    }

    public func save(departures: [Departure], of stack: String) throws(Fault) {
        try attempt("save the departures in") { history throws(DatabaseError) in
            try history.save(departures, of: stack, boot: boot)
        }
        Failpoint.departuresSaved.reach()
    }

    public func save(marks: [ScheduleMark]) throws(Fault) {
        try attempt("save the schedules in") { history throws(DatabaseError) in try history.save(marks) }
    }

    /// In the database and in a file of its own: a number that is used twice is worse than a lost history.
    public func reserve(launchesBelow next: LaunchID) throws(Fault) {
        try folder.write(Array("\(next.number)\n".utf8), to: Self.reservationName)
        Failpoint.numbersReserved.reach()
        try attempt("reserve launches in") { history throws(DatabaseError) in try history.reserve(next.number) }
    }

    public func append(_ occurrences: [Occurrence]) throws(Fault) {
        try attempt("write events to") { history throws(DatabaseError) in try history.append(occurrences) }
        Failpoint.eventsWritten.reach()
    }

    public func occurrences(of target: Target?, since: WallTime?, limit: Int) throws(Fault) -> [Occurrence] {
        try attempt("read events of") { history throws(DatabaseError) in
            try history.occurrences(of: target, since: since, limit: limit)
        }
    }

    public func endsTold(among launches: [LaunchID]) throws(Fault) -> Set<LaunchID> {
        try attempt("read the ends in") { history throws(DatabaseError) in try history.endsTold(among: launches) }
    }

    private static let databaseName = "orch.db"
    private static let reservationName = "next-launch"
    private var databasePath: String { "\(folder.path)/\(Self.databaseName)" }

    private func reservedInFile() throws(Fault) -> UInt64 {
        guard let bytes = try folder.read(Self.reservationName) else { return 1 }
        return UInt64(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)) ?? 1
    }

    /// Opens the database; one that is damaged is set aside and a new one made.
    private func openHistory() throws(Fault) {
        try folder.touch(Self.databaseName)
        do { history = try History(path: databasePath, boot: boot) } catch {
            switch error {
            case .damaged(let reason): try rebuildHistory(because: reason)
            case .newer(let format):
                throw Fault(
                    step: "open", subject: databasePath, reason: "it is of format \(format), written by a later orch",
                    remedy: "run that orch, or set ORCH_HOME to another folder")
            case .failed(let error): throw fault("open", error)
            }
        }
    }

    private func rebuildHistory(because reason: String) throws(Fault) {
        rescued = (try? history?.departures()) ?? []
        let boots = (try? history?.bootsOfDepartures()) ?? [:]
        history = nil
        let aside = try folder.setAside(Self.databaseName, alongWith: ["-wal", "-shm"])
        remarks.append(
            "\(databasePath) is damaged (\(reason)); it is set aside as \(aside) and built anew: its events are lost, and what was stopped by hand may start"
        )
        try folder.touch(Self.databaseName)
        do { history = try History(path: databasePath, boot: boot) } catch {
            switch error {
            case .damaged(let reason): throw Fault(step: "build anew", subject: databasePath, reason: reason)
            case .newer(let format): throw Fault(step: "build anew", subject: databasePath, reason: "format \(format)")
            case .failed(let error): throw fault("build anew", error)
            }
        }
        for stack in Set(rescued.map(\.instance.service.stack)).sorted() {
            try? history?.save(rescued.filter { $0.instance.service.stack == stack }, of: stack, boot: boots[stack])
        }
    }

    /// Does it; after damage once more with a new database, as the answer matters more than the history.
    private func attempt<T>(_ step: String, _ work: (inout History) throws(DatabaseError) -> T) throws(Fault) -> T {
        if history == nil { try openHistory() }
        do { return try perform(work) } catch {
            guard error.isDamage else { throw fault(step, error) }
            try rebuildHistory(because: error.message)
        }
        do { return try perform(work) } catch { throw fault(step, error) }
    }

    private func perform<T>(_ work: (inout History) throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        guard var opened = history else { throw DatabaseError(code: -1, message: "it is not open") }
        defer { history = opened }
        return try work(&opened)
    }

    private func fault(_ step: String, _ error: DatabaseError) -> Fault {
        let remedy = error.isFull ? "free some space there; it is tried again" : nil
        return Fault(step: step, subject: databasePath, reason: error.message, remedy: remedy)
    }
}
