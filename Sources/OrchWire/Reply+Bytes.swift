// SPDX-License-Identifier: Apache-2.0

public import OrchModel

/// Replies as bytes. Rows come by the thousands: they are written without a tree, to the same text as their values.
extension Frame {
    /// Behind what is there already.
    public static func append(_ reply: Reply, to bytes: inout [UInt8]) {
        append(to: &bytes) { bytes in
            switch reply.body {
            case .status(let stacks):
                bytes.append(head: reply.id, "status")
                bytes.append(word: ",\"stacks\":[")
                var isFirst = true
                for stack in stacks {
                    if !isFirst { bytes.append(UInt8(ascii: ",")) }
                    isFirst = false
                    JSON.append(stack, to: &bytes)
                }
                bytes.append(word: "]}")
            case .instance(let status):
                bytes.append(head: reply.id, "instance")
                bytes.append(word: ",\"instance\":")
                JSON.append(status, to: &bytes)
                bytes.append(UInt8(ascii: "}"))
            case .accepted, .processes, .plan, .recalled, .there, .gone, .occurrence, .verdict, .why, .history,
                .rotated, .daemon,
                .refusal,
                .end:
                JSON.append(reply.value, to: &bytes)
            }
        }
    }
}

extension JSON {
    /// The text of a stack and its instances.
    public static func append(_ stack: StackStatus, to bytes: inout [UInt8]) {
        bytes.append(word: "{\"name\":")
        append(stack.name, to: &bytes)
        bytes.append(word: ",\"revision\":")
        append(stack.revision, to: &bytes)
        bytes.append(word: ",\"manifest\":")
        append(stack.manifestPath, to: &bytes)
        bytes.append(word: ",\"phase\":")
        append(stack.phase.rawValue, to: &bytes)
        bytes.append(word: ",\"instances\":[")
        bytes.reserveCapacity(bytes.count + stack.instances.count * rowBytes)
        var isFirst = true
        for row in stack.instances {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(row, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        if let stop = stack.stoppedBy { bytes.append(member: ",\"stopped_by\":", stop.value) }
        if !stack.host.isEmpty { bytes.append(member: ",\"host\":", .array(stack.host.map(\.value))) }
        bytes.append(UInt8(ascii: "}"))
    }

    /// What a row has, about.
    private static let rowBytes = 512

    /// The text of one row.
    public static func append(_ row: InstanceStatus, to bytes: inout [UInt8]) {
        bytes.append(word: "{\"stack\":")
        append(row.id.service.stack, to: &bytes)
        bytes.append(word: ",\"service\":")
        append(row.id.service.service, to: &bytes)
        bytes.append(word: ",\"instance\":")
        append(row.id.name, to: &bytes)
        bytes.append(word: ",\"label\":")
        append(row.label, to: &bytes)
        bytes.append(word: ",\"kind\":")
        append(row.kind.rawValue, to: &bytes)
        bytes.append(word: ",\"phase\":")
        append(row.phase.rawValue, to: &bytes)
        bytes.append(time: ",\"since\":", row.since)
        bytes.append(word: ",\"health\":")
        append(row.health.rawValue, to: &bytes)
        bytes.append(number: ",\"pid\":", row.pid.map { Int64($0) })
        bytes.append(member: ",\"launch\":", row.launch.map { .unsigned($0.number) } ?? .null)
        bytes.append(number: ",\"restarts\":", Int64(row.restarts))
        bytes.append(time: ",\"started_at\":", row.startedAt)
        bytes.append(time: ",\"ready_at\":", row.readyAt)
        bytes.append(member: ",\"exit\":", row.exit?.value ?? .null)
        bytes.append(text: ",\"reason\":", row.reason)
        if let position = row.position { bytes.append(member: ",\"position\":", position.value) }
        if let until = row.until { bytes.append(time: ",\"until\":", until) }
        bytes.append(member: ",\"ports\":", .array(row.ports.map(\.value)))
        bytes.append(member: ",\"cpu_percent\":", row.cpuPercent.map { .double($0) } ?? .null)
        bytes.append(number: ",\"memory_bytes\":", row.memoryBytes)
        bytes.append(text: ",\"log\":{\"stdout\":", row.stdoutLog)
        bytes.append(text: ",\"stderr\":", row.stderrLog)
        if !row.redactedLog.isEmpty { bytes.append(member: ",\"redact\":", .strings(row.redactedLog)) }
        if !row.secretFiles.isEmpty { bytes.append(member: ",\"secrets\":", .strings(row.secretFiles)) }
        if let trouble = row.logTrouble { bytes.append(text: ",\"trouble\":", trouble) }
        bytes.append(UInt8(ascii: "}"))
        if let tracking = row.tracking { bytes.append(text: ",\"tracking\":", tracking) }
        if let said = row.said { bytes.append(text: ",\"said\":", said) }
        if !row.runs.isEmpty { bytes.append(member: ",\"runs\":", .array(row.runs.map(\.value))) }
        if !row.limits.isEmpty { bytes.append(member: ",\"limits\":", .array(row.limits.map(\.value))) }
        bytes.append(UInt8(ascii: "}"))
    }
}

extension [UInt8] {
    /// What needs no escapes.
    fileprivate mutating func append(word text: StaticString) {
        text.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }

    fileprivate mutating func append(head id: UInt64, _ reply: String) {
        append(word: "{\"id\":")
        JSON.append(.unsigned(id), to: &self)
        append(word: ",\"reply\":")
        JSON.append(reply, to: &self)
    }

    /// A comma, a key, a colon, and then the value; null for nil.
    fileprivate mutating func append(text key: StaticString, _ text: String?) {
        append(word: key)
        if let text { JSON.append(text, to: &self) } else { append(word: "null") }
    }

    fileprivate mutating func append(number key: StaticString, _ number: Int64?) {
        append(word: key)
        if let number { JSON.append(number, to: &self) } else { append(word: "null") }
    }

    fileprivate mutating func append(time key: StaticString, _ time: WallTime?) {
        append(word: key)
        guard let time else { return append(word: "null") }
        append(UInt8(ascii: "\""))
        append(rfc3339: time)
        append(UInt8(ascii: "\""))
    }

    fileprivate mutating func append(member key: StaticString, _ value: Value) {
        append(word: key)
        JSON.append(value, to: &self)
    }
}
