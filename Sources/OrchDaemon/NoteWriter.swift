// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire

/// The parts of a note, one after another, as a list in JSON: written straight into the line, as there are several for every launch.
struct NoteWriter {
    private var bytes: [UInt8] = []
    private var isFirst = true

    /// `blanks`: so many spaces stand before it.
    init(after blanks: Int) {
        bytes.reserveCapacity(256)
        for _ in 0..<blanks { bytes.append(UInt8(ascii: " ")) }
        bytes.append(UInt8(ascii: "["))
    }

    /// What was written, whole; the writer is empty then, so that nobody holds a second reference.
    mutating func finish() -> [UInt8] {
        end()
        var whole: [UInt8] = []
        swap(&whole, &bytes)
        return whole
    }

    private mutating func next() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    mutating func add(_ text: String) {
        next()
        JSON.append(text, to: &bytes)
    }
    mutating func add(_ number: Int64) {
        next()
        JSON.append(number, to: &bytes)
    }
    mutating func add(_ value: Value) {
        next()
        JSON.append(value, to: &bytes)
    }
    mutating func add(_ launch: LaunchID) {
        guard let number = Int64(exactly: launch.number) else { return add(Value.unsigned(launch.number)) }
        add(number)
    }
    mutating func add(_ instance: InstanceID) {
        begin()
        add(instance.service.stack)
        add(instance.name)
        end()
    }
    mutating func add(_ digest: Digest) {
        next()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(hexOf: digest)
        bytes.append(UInt8(ascii: "\""))
    }
    mutating func add(_ moment: Moment) {
        begin()
        add(moment.instant.nanoseconds)
        add(moment.wall.nanoseconds)
        end()
    }

    /// A list within the list.
    private mutating func begin() {
        next()
        bytes.append(UInt8(ascii: "["))
        isFirst = true
    }
    private mutating func end() {
        bytes.append(UInt8(ascii: "]"))
        isFirst = false
    }
}
