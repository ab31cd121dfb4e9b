// SPDX-License-Identifier: Apache-2.0

import OrchModel

/// How one launch stands against the limits of its tree.
struct LimitState: Sendable {
    /// A limit that it is beyond.
    struct Excess: Sendable {
        var resource: Resource
        var since: WallTime
        /// It has kept within since then, for too short a time to say so.
        var calmSince: Instant?
    }
    /// What is to be told.
    struct News: Sendable {
        var isExceeded: Bool
        var text: String
    }
    /// What the kernel holds it to, as the last look had it.
    private(set) var held: [Resource] = []
    private(set) var excesses: [Excess] = []
    var news: [News] = []
    /// By the place of the resource.
    private var uses = [Double?](repeating: nil, count: Resource.allCases.count)
    /// Where the window of processor time begins.
    private var cpuMark: (at: Instant, used: Duration)?
    private var refusals: UInt64 = 0

    func use(of resource: Resource) -> Double? { uses[Self.place(of: resource)] }
    func excess(of resource: Resource) -> Excess? { excesses.first { $0.resource == resource } }

    /// Nobody need look for what the kernel never lets it exceed.
    func mustBeLookedAt(_ limits: ResourceLimits) -> Bool {
        limits.limited.contains { !held.contains($0) || ($0 != .memory && $0 != .cpus) }
    }

    mutating func learn(_ sample: ResourceSample, _ limits: ResourceLimits, at now: Moment) {
        held = sample.held
        for resource in Resource.allCases {
            guard let limit = limits[resource], let use = amount(of: resource, sample, at: now.instant) else {
                continue
            }
            uses[Self.place(of: resource)] = use
            let isHeld = held.contains(resource)
            let more = resource == .pids && isHeld && sample.refusals > refusals ? sample.refusals - refusals : 0
            if more > 0 {
                exceeds(resource, "at its limit of \(resource.text(limit)), \(more) more refused", at: now)
            } else if !isHeld, use > limit {
                exceeds(resource, "\(resource.text(use)), and its limit is \(resource.text(limit))", at: now)
            } else {
                keeps(resource, "\(resource.text(use)), within its limit of \(resource.text(limit)) again", at: now)
            }
        }
        refusals = sample.refusals
    }

    private static func place(of resource: Resource) -> Int { Resource.allCases.firstIndex(of: resource) ?? 0 }

    /// Nil while nothing can be said of it.
    private mutating func amount(of resource: Resource, _ sample: ResourceSample, at now: Instant) -> Double? {
        switch resource {
        case .memory: sample.memoryBytes.map { Double($0) }
        case .cpus: sample.cpuTime.flatMap { cpus($0, at: now) }
        case .pids: sample.pids.map { Double($0) }
        case .files: sample.files.map { Double($0) }
        case .threads: sample.threads.map { Double($0) }
        }
    }

    /// The average over a window; a start that takes all it gets for a second is none.
    private mutating func cpus(_ used: Duration, at now: Instant) -> Double? {
        guard let mark = cpuMark else {
            cpuMark = (now, used)
            return nil
        }
        let span = now - mark.at
        guard span >= Limits.cpuWindow else { return nil }
        cpuMark = (now, used)
        // A process that ended takes its time along where nobody sums it up.
        return max(0, (used - mark.used).inSeconds) / span.inSeconds
    }

    private mutating func exceeds(_ resource: Resource, _ text: String, at now: Moment) {
        if let known = excesses.firstIndex(where: { $0.resource == resource }) {
            excesses[known].calmSince = nil
        } else {
            excesses.append(Excess(resource: resource, since: now.wall))
            news.append(News(isExceeded: true, text: "\(resource.rawValue): \(text)"))
        }
    }

    private mutating func keeps(_ resource: Resource, _ text: String, at now: Moment) {
        guard let known = excesses.firstIndex(where: { $0.resource == resource }) else { return }
        let since = excesses[known].calmSince ?? now.instant
        excesses[known].calmSince = since
        guard now.instant - since >= Patience.relief else { return }
        excesses.remove(at: known)
        news.append(News(isExceeded: false, text: "\(resource.rawValue): \(text)"))
    }
}
