// SPDX-License-Identifier: Apache-2.0

@testable import OrchDaemon
import OrchEngine
import OrchModel
import Testing

@Suite struct LaunchNoteCodecTests {
    private let notes: [LaunchNote] = {
        let id = InstanceID(service: ServiceID(stack: "s", service: "web"), replica: 3)
        let at = Moment(instant: Instant(nanoseconds: 5), wall: WallTime(nanoseconds: 1_700_000_000_000_000_001))
        let digest = Digest(of: [1])
        var told = Told()
        told.isReady = true
        told.extendedTo = Instant(nanoseconds: 7)
        told.watchdog = .milliseconds(1_500)
        told.stoppingSince = Instant(nanoseconds: 3)
        let port = AssignedPort(name: nil, port: 80, transport: .tcp)
        return [
            .ordered(LaunchID(7), id, definition: digest, at: at, restarts: 2),
            .executed(LaunchID(7), pid: 9, at: at, ports: [port], tracking: "cgroup"),
            .executed(LaunchID(7), pid: 9, at: at, ports: [], tracking: "session"), .ready(LaunchID(7), at: at),
            .announced(LaunchID(7)), .told(LaunchID(7), Told()), .told(LaunchID(7), told),
            .reloadOwed(LaunchID(7), cause: "reloaded by hand"),
            .reloadEnded(LaunchID(7), fault: nil),
            .reloadEnded(LaunchID(7), fault: "exit 1: no", refused: Digest(of: [1])),
            .configured(LaunchID(7), Digest(of: [1])), .configured(LaunchID(7), nil), .released(LaunchID(7)),
            .locked(LaunchID(7), ["/run/x", "gpu"]), .forgiven(id, isAnew: true), .resumed(id),
            .halted(Halt(instance: id, key: "essential", reason: "r", exit: nil, isSuccess: true), appliedAt: at.wall),
            .halted(
                Halt(instance: id, key: "on_exit", reason: "", exit: .code(3), isSuccess: false), appliedAt: at.wall),
            .stopping(LaunchID(7), .clearing, reason: "line\nbreak", step: 1, deadline: .distantFuture),
            .failed(id, at: at), .failed(id, LaunchID(7), at: at),
            .probed(LaunchID(7), .liveness, passing: true), .tallied(LaunchID(7), .startup, -2),
            .released(LaunchID(.max)),
            .runs(
                id,
                RunState(
                    underway: DueRun(due: at.wall, elapsed: at.instant, attempt: 2), pending: DueRun(due: nil),
                    queued: nil,
                    judged: LaunchID(6),
                    last: ScheduledRun(
                        due: WallTime(nanoseconds: 0), startedAt: nil, endedAt: WallTime(nanoseconds: 1_000_000),
                        exit: .code(3), result: .failed, attempts: 1))),
            .runs(id, RunState(underway: nil, pending: nil, queued: nil)),
            .runs(id, RunState(underway: nil, pending: nil, queued: nil, earlier: at.wall, elapsed: at.instant)),
            .hook(
                HookCall(id: LaunchID(8), .preStart, of: id, definition: digest, reason: "wanted by the manifest"),
                .owed),
            .hook(
                HookCall(
                    id: LaunchID(8), .postStop, of: id, definition: digest, about: LaunchID(7),
                    exit: .signal(.kill, coreDumped: true), reason: "line\nbreak", attempt: 3, pid: 9, ports: [port]),
                .begun(LaunchID(9), at: at)),
            .hook(
                HookCall(id: LaunchID(8), .onFailed, of: id, definition: digest, reason: ""),
                .over(LaunchID(9), isSuccess: true)),
            .hook(
                HookCall(id: LaunchID(8), .preStop, of: id, definition: digest, about: LaunchID(7), reason: ""),
                .over(nil, isSuccess: false)),
            .renamed(id.service, to: ServiceID(stack: "s", service: "shop")),
            .ended(
                id, LaunchID(7), .signal(.kill, coreDumped: true), at: at,
                Outcome(phase: .failed, reason: "gave up", definition: digest, key: "restart")),
        ]
    }()

    @Test func notesReadBackFromOneLineEach() {
        for note in notes {
            let line = LaunchNoteCodec.bytes(of: note)
            #expect(!line.contains(10))
            #expect(LaunchNoteCodec.note(from: line) == note)
        }
    }

    /// What stands in the usual form is read without a tree. It must mean the same in any other form of the same JSON.
    @Test func theUsualFormReadsAsAnyOther() {
        var usual = 0
        for note in notes {
            let line = LaunchNoteCodec.bytes(of: note)
            if let scanned = NoteScanner.note(in: line, at: 9..<line.count) {
                usual += 1
                #expect(scanned == note)
            }
            let body = String(decoding: line[9...], as: UTF8.self)
            let spaced = sealed("[ \(String(body.dropFirst()))")
            #expect(NoteScanner.note(in: spaced, at: 9..<spaced.count) == nil)
            #expect(LaunchNoteCodec.note(from: spaced) == note)
            // A later release may write more.
            let longer = sealed("\(String(body.dropLast())),null]")
            #expect(NoteScanner.note(in: longer, at: 9..<longer.count) == nil)
        }
        #expect(usual == 4)
    }

    /// Civil time has 19 digits.
    @Test func numbersReadUpToTheLargest() {
        let id = InstanceID(service: ServiceID(stack: "s", service: "web"), replica: 1)
        for number in [Int64.min, -1_700_000_000_000_000_001, -1, 0, 1, 1_700_000_000_000_000_001, .max] {
            let at = Moment(instant: Instant(nanoseconds: number), wall: WallTime(nanoseconds: number))
            for note in [
                LaunchNote.ready(LaunchID(7), at: at),
                .ordered(LaunchID(7), id, definition: Digest(of: [1]), at: at, restarts: 0),
            ] {
                let line = LaunchNoteCodec.bytes(of: note)
                #expect(NoteScanner.note(in: line, at: 9..<line.count) == note)
            }
        }
        for text in ["9223372036854775808", "-9223372036854775809", "18446744073709551617", "01", "-", ""] {
            let line = sealed("[\"ready\",7,[5,\(text)]]")
            #expect(NoteScanner.note(in: line, at: 9..<line.count) == nil)
        }
    }

    /// Of many lines in one piece, each is read at its place.
    @Test func aLineReadsAmongOthers() {
        var all: [UInt8] = []
        var places: [Range<Int>] = []
        for note in notes {
            let line = LaunchNoteCodec.bytes(of: note)
            places.append(all.count..<all.count + line.count)
            all += line + [10]
        }
        #expect(places.compactMap { LaunchNoteCodec.note(from: all, at: $0) } == notes)
    }

    /// The check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC), and the definition, bit by bit.
    @Test func theChecksumIsTheOneOfTheStandard() {
        #expect(CRC32.checksum(of: "123456789".utf8.span) == 0xcbf4_3926)
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
            var sum = ~UInt32(0)
            for byte in bytes {
                sum ^= UInt32(byte)
                for _ in 0..<8 { sum = sum & 1 == 1 ? 0xedb8_8320 ^ (sum >> 1) : sum >> 1 }
            }
            #expect(CRC32.checksum(of: bytes.span) == ~sum)
        }
    }

    /// A daemon may be followed by a newer one within a boot.
    @Test func linesOfAnOlderDaemonRead() throws {
        let short = #"["stopping",7,"r",1,5]"#
        #expect(
            LaunchNoteCodec.note(from: sealed(short))
                == .stopping(LaunchID(7), .requested, reason: "r", step: 1, deadline: Instant(nanoseconds: 5)))
        let digest = Digest(of: [1])
        let ended = ##"["ended",["s","web.3"],7,{"code":1},[5,6],"\##(digest.hex)","failed"]"##
        guard case .ended(_, _, _, _, let outcome) = LaunchNoteCodec.note(from: sealed(ended)) else {
            Issue.record("\(ended) does not read")
            return
        }
        #expect(outcome == Outcome(phase: .failed, reason: "exit 1", definition: digest))
    }

    /// A mark on the disk may have decided the same instant: it must not be taken for one that never began.
    @Test func prunedNotesStillSayHowFarTheRunsHadCome() {
        let id = InstanceID(service: ServiceID(stack: "s", service: "job"), replica: 1)
        let due = WallTime(nanoseconds: 9)
        func state(_ underway: DueRun?, _ pending: DueRun? = nil) -> LaunchNote {
            .runs(id, RunState(underway: underway, pending: pending, queued: nil))
        }
        let notes = [state(DueRun(due: due)), state(nil), state(nil, DueRun(due: nil))]
        for count in 1...3 {
            let pruned = LaunchNote.pruned(LaunchNote.pruned(Array(notes.prefix(count)), open: []), open: [])
            guard case .runs(_, let state) = pruned.first, pruned.count == 1 else {
                Issue.record("\(pruned)")
                continue
            }
            #expect(state.through == due)
        }
    }

    /// A later launch that is gone as well says nothing of how it ended, but that it is not this.
    @Test func howALaunchEndedIsNotKeptOnceALaterOneIsGone() {
        let id = InstanceID(service: ServiceID(stack: "s", service: "web"))
        let now = Moment(instant: Instant(nanoseconds: 1), wall: WallTime(nanoseconds: 1))
        func ordered(_ number: UInt64) -> LaunchNote {
            .ordered(LaunchID(number), id, definition: Digest(of: [1]), at: now, restarts: 0)
        }
        let outcome = Outcome(phase: .done, reason: "ended with exit 0", definition: Digest(of: [1]))
        let end = LaunchNote.ended(id, LaunchID(1), .code(0), at: now, outcome)
        let first = [ordered(1), end, .released(LaunchID(1))]
        #expect(LaunchNote.pruned(first, open: []) == [end, .released(LaunchID(1))])
        #expect(LaunchNote.pruned(first + [ordered(2)], open: []) == [end, ordered(2)])
        #expect(LaunchNote.pruned(first + [ordered(2), .released(LaunchID(2))], open: []) == [.released(LaunchID(2))])
    }

    /// The keeper still has its launch, which is no service's; and what it did was for a start that has come and gone.
    @Test func aHookThatIsOverIsKeptWhileItsLaunchIsHeld() {
        let id = InstanceID(service: ServiceID(stack: "s", service: "web"))
        let now = Moment(instant: Instant(nanoseconds: 1), wall: WallTime(nanoseconds: 1))
        let call = HookCall(id: LaunchID(1), .preStart, of: id, definition: Digest(of: [1]), reason: "")
        let worked = LaunchNote.hook(call, .over(LaunchID(2), isSuccess: true))
        let used = LaunchNote.hook(call, .over(LaunchID(2), isSuccess: false))
        let begun = LaunchNote.hook(call, .begun(LaunchID(2), at: now))
        let ordered = LaunchNote.ordered(LaunchID(3), id, definition: Digest(of: [1]), at: now, restarts: 0)
        let notes = [begun, worked, ordered, .released(LaunchID(3))]
        #expect(LaunchNote.pruned(notes, open: [LaunchID(2)]) == [used, .released(LaunchID(3))])
        #expect(LaunchNote.pruned(notes, open: []) == [.released(LaunchID(3))])
        #expect(LaunchNote.pruned([begun, worked], open: []) == [worked])
        // Its start was lost with the keeper's word of it, so that it is still to come.
        let again = LaunchNote.hook(call, .over(nil, isSuccess: true))
        #expect(LaunchNote.pruned(notes + [again], open: [LaunchID(2)]) == [used, .released(LaunchID(3)), again])
    }

    /// A full disk may not know which numbers were given away.
    @Test func prunedNotesStillSayWhichNumberIsTheHighest() {
        let id = InstanceID(service: ServiceID(stack: "s", service: "web"), replica: 1)
        let at = Moment(instant: .zero, wall: WallTime(nanoseconds: 0))
        let notes = [LaunchID(7), LaunchID(9)].flatMap { launch -> [LaunchNote] in
            [.ordered(launch, id, definition: Digest(of: []), at: at, restarts: 0), .released(launch)]
        }
        let pruned = LaunchNote.pruned(LaunchNote.pruned(notes, open: []), open: [])
        #expect(pruned == [.released(LaunchID(9))])
        let recovery = Recovery.assembled(
            from: StoredState(), notes: pruned, isNewBoot: false, survivors: [], seed: 1)
        #expect(recovery.nextLaunch == LaunchID(10))
    }

    /// Its launch was let go of without another word of it, as its task was removed.
    @Test func prunedNotesBringNoRunBackThatIsOver() {
        let id = InstanceID(service: ServiceID(stack: "s", service: "job"), replica: 1)
        let at = Moment(instant: .zero, wall: WallTime(nanoseconds: 0))
        let run = DueRun(due: WallTime(nanoseconds: 9), elapsed: Instant(nanoseconds: 8))
        let begun: [LaunchNote] = [
            .runs(id, RunState(underway: nil, pending: run, queued: nil)),
            .ordered(LaunchID(7), id, definition: Digest(of: []), at: at, restarts: 0),
        ]
        func state(_ notes: [LaunchNote]) -> RunState? {
            let pruned = LaunchNote.pruned(LaunchNote.pruned(notes, open: []), open: [])
            for case .runs(_, let state) in pruned { return state }
            return nil
        }
        #expect(state(begun)?.pending == run)
        let over = state(begun + [.released(LaunchID(7))])
        #expect(
            over
                == RunState(
                    underway: nil, pending: nil, queued: nil, earlier: run.due, elapsed: run.elapsed))
        // It is tried again, or was lost and is still to be done: what was said of it meanwhile holds.
        let again = RunState(underway: nil, pending: run, queued: nil, judged: LaunchID(7))
        #expect(state(begun + [.runs(id, again), .released(LaunchID(7))]) == again)
        let lost = RunState(underway: nil, pending: run, queued: nil)
        #expect(state(begun + [.runs(id, lost), .released(LaunchID(7))]) == lost)
    }

    private func sealed(_ body: String) -> [UInt8] {
        let hex = String(CRC32.checksum(of: body.utf8.span), radix: 16)
        return Array((String(repeating: "0", count: 8 - hex.count) + hex + " " + body).utf8)
    }

    @Test func tornAndDamagedLinesDoNotRead() {
        for note in notes {
            let line = LaunchNoteCodec.bytes(of: note)
            for cut in 0..<line.count { #expect(LaunchNoteCodec.note(from: Array(line[..<cut])) == nil) }
            for place in line.indices {
                var damaged = line
                damaged[place] ^= 4
                #expect(LaunchNoteCodec.note(from: damaged) == nil || LaunchNoteCodec.note(from: damaged) == note)
            }
        }
    }
}
