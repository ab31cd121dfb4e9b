// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The pipes that hold more than the kernel's 64 KiB, because their writers keep filling them: the fewer times writer and pump have to wait
/// for each other, the more both cores move. They are few: what a full disk leaves in pipes is memory of the kernel.
struct WidePipes {
    private var pipes: [LogPipe] = []
    /// One that is not busy for so long gives way to another.
    private static let patience = Duration.seconds(1)

    /// A former daemon may have widened it.
    mutating func add(_ pipe: LogPipe) {
        if pipe.capacity >= Limits.logWidePipeBytes { pipes.append(pipe) }
    }

    mutating func remove(_ pipe: LogPipe) { pipes.removeAll { $0 === pipe } }

    /// `pipe` was found half full, or more.
    mutating func widen(_ pipe: LogPipe, at now: Instant) {
        let wasBusyAt = pipe.busyAt
        pipe.busyAt = now
        // Twice in a moment: a single large write is no flood.
        guard pipe.capacity < Limits.logWidePipeBytes, now - wasBusyAt < Self.patience else { return }
        if pipes.count >= Limits.logWidePipes {
            guard let idlest = pipes.min(by: { $0.busyAt < $1.busyAt }), now - idlest.busyAt > Self.patience,
                idlest.resize(to: idlest.leastBytes)
            else { return }
            remove(idlest)
        }
        if pipe.resize(to: Limits.logWidePipeBytes) { pipes.append(pipe) }
    }
}
