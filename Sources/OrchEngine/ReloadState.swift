// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// How the reloads of one launch stand.
struct ReloadState: Sendable {
    /// Why it is to reload as soon as it can: when it is ready, and the reload under way is over.
    var owed: String?
    var underWay: ReloadProgress?
    /// Why the last one came to nothing.
    var fault: String?
    /// The config files that it was to take up then.
    var refused: Digest?

    /// What the service says of itself.
    mutating func hear(_ notice: Notice) {
        guard case .notify = underWay?.way else { return }
        switch notice {
        case .reloading: underWay?.isTakenUp = true
        // One without the other belongs to an earlier time.
        case .ready: if underWay?.isTakenUp == true { underWay?.end = .done("it said READY=1") }
        case .stopping, .line, .status, .mainPID, .watchdog, .watchdogTrigger, .watchdogTime, .extend, .stored: break
        }
    }
}

/// A reload that was begun.
struct ReloadProgress: Sendable {
    enum End: Equatable, Sendable {
        /// How that is known.
        case done(String)
        case failed(String)
    }
    var cause: String
    var way: ReloadSpec
    /// The config files as they are to be taken up.
    let configuration: Digest?
    let began: Instant
    /// What its command runs as.
    var runner: LaunchID?
    /// It has said RELOADING=1.
    var isTakenUp = false
    /// By then it is to be over. A command has its own time, with the host.
    var deadline: Instant?
    var end: End?

    /// What is being waited for, for people.
    var text: String {
        switch way {
        case .signal(let signal): "\(signal.name) sent"
        case .command(let command, _): "its reload runs: \(command.words)"
        case .notify: isTakenUp ? "it reloads; it has not said READY=1 yet" : "it has not said RELOADING=1 yet"
        }
    }
}

extension Incarnation {
    /// An errand is over, and nothing of it is left.
    mutating func endErrand(_ runner: LaunchID, _ fault: Fault?) {
        guard let place = errands.firstIndex(of: runner) else { return }
        errands.remove(at: place)
        guard reload?.underWay?.runner == runner else { return }
        reload?.underWay?.end = fault.map { .failed($0.saying) } ?? .done("its command succeeded")
    }
}

extension Incarnation {
    /// What a former daemon noted of its reloads, and of what it said.
    mutating func recall(_ note: LaunchNote) {
        switch note {
        case .reloadOwed(_, let cause): reload = ReloadState(owed: cause)
        case .reloadEnded(_, let fault, let refused):
            reload = fault.map { ReloadState(fault: $0, refused: refused) }
        case .configured(_, let digest): configuration = digest
        case .announced:
            isAnnounced = true
            isAnnouncementNoted = true
        case .told(_, let told):
            self.told = told
            notedTold = told
        case .ordered, .executed, .ready, .locked, .stopping, .failed, .forgiven, .probed, .tallied,
            .runs,
            .hook, .renamed, .released, .ended, .halted, .resumed:
            break
        }
    }
}

extension Fault {
    /// A command that ran says enough by its end; one that could not run says why.
    var saying: String { step == "run" ? reason : text }
}

extension CommandLine {
    /// As it was written.
    var words: String {
        switch self {
        case .shell(let text, _): text
        case .exec(let words): words.joined(separator: " ")
        }
    }
}
