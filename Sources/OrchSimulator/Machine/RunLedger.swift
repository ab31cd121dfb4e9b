// SPDX-License-Identifier: Apache-2.0

import OrchDaemon
import OrchEngine
import OrchModel

/// The file of launch notes in the run directory, in its real bytes. It dies with a boot.
struct RunLedger {
    /// Nil after a boot, until a daemon made one.
    private(set) var bytes: [UInt8]?
    /// The last line may have no end.
    private var isTorn = false
    /// Nothing more fits into the run directory.
    var isFull = false

    init() {}

    /// False when it did not fit: then half of it is there.
    mutating func append(_ line: [UInt8]) -> Bool {
        guard !isFull else {
            append(torn: line[..<(line.count / 2)])
            return false
        }
        if isTorn { bytes?.append(10) }
        isTorn = false
        bytes?.append(contentsOf: line)
        bytes?.append(10)
        return true
    }

    mutating func append(torn piece: ArraySlice<UInt8>) {
        if isTorn { bytes?.append(10) }
        bytes?.append(contentsOf: piece)
        isTorn = true
    }

    /// What the next daemon reads; nil after a boot. What does not read is left out.
    func notes() -> [LaunchNote]? {
        bytes.map { $0.split(separator: 10).compactMap { LaunchNoteCodec.note(from: Array($0)) } }
    }

    /// Written anew, with these notes.
    mutating func rewrite(_ notes: [LaunchNote]) {
        guard !isFull || bytes == nil else { return }
        bytes = []
        isTorn = false
        for note in notes {
            bytes?.append(contentsOf: LaunchNoteCodec.bytes(of: note))
            bytes?.append(10)
        }
    }
}
