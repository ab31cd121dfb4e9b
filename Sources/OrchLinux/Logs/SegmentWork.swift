// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// What is done with segments beside the thread that moves bytes. Each of those has its own: on a file system that hangs, this does too.
final class SegmentWork: Sendable {
    let compressor: LogCompressor
    private let closing = JobThread(yields: false)

    /// - Parameter remark: takes, on any thread, why a segment stays as it is.
    init(remark: @escaping @Sendable (String) -> Void) { compressor = LogCompressor(remark: remark) }

    /// Frees what a removed segment holds, which is the last one to have it open.
    func close(_ file: Int32) {
        if !closing.add("\(file)", limit: Limits.logClosing, { _ = Glibc.close(file) }) { _ = Glibc.close(file) }
    }
}
