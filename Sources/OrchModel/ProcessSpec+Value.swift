// SPDX-License-Identifier: Apache-2.0

/// Its fields stand among those of the service: the language has no map around them.
extension ProcessSpec: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        write(to: &w)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) { self = try ProcessSpec(ObjectReader(value)) }

    func write(to w: inout ObjectWriter) {
        if !groupAdd.isEmpty { w.set("group_add", strings: groupAdd) }
        w.set("umask", Self.octal(umask), unless: Self.octal(Self.standardMask))
        if let nice { w.set("nice", nice) }
        w.set("io_class", ioClass?.text)
        if !cpuAffinity.isEmpty { w.set("cpu_affinity", .array(cpuAffinity.map { .int(Int64($0)) })) }
        if !ulimits.isEmpty { w.set("ulimits", .object(ulimits.map { .init($0.resource.rawValue, $0.value) })) }
        var security = ObjectWriter(complete: w.complete)
        security.set("no_new_privileges", noNewPrivileges, unless: false)
        if let capabilities { security.set("capabilities", strings: capabilities.map(\.rawValue)) }
        if !readOnly.isEmpty { security.set("read_only", strings: readOnly) }
        security.set("private_tmp", hasPrivateTmp, unless: false)
        w.setObject("security", security.value)
        w.set("tty", hasTerminal, unless: false)
        switch input {
        case .open: w.set("stdin", "open")
        case .file(let path): w.set("stdin", path)
        case nil: break
        }
    }

    init(_ r: ObjectReader) throws(ShapeError) {
        self.init()
        groupAdd = try r.strings("group_add")
        if let text = try r.optionalString("umask") {
            guard let mask = UInt32(text, radix: 8), mask <= 0o777 else {
                throw ShapeError(path: "umask", expected: "an octal number")
            }
            umask = mask
        }
        nice = try r.optionalInt("nice")
        if let text = try r.optionalString("io_class") {
            guard let found = IOClass(text: text) else { throw ShapeError(path: "io_class", expected: "an I/O class") }
            ioClass = found
        }
        for item in r.value("cpu_affinity")?.array ?? [] {
            guard let number = item.int else { throw ShapeError(path: "cpu_affinity", expected: "numbers") }
            cpuAffinity.append(Int(number))
        }
        for member in r.value("ulimits")?.members ?? [] {
            guard let resource = Ulimit.Resource(rawValue: member.key) else { continue }
            do { ulimits.append(try Ulimit(resource, member.value)) } catch {
                throw error.under("ulimits.\(member.key)")
            }
        }
        hasTerminal = try r.bool("tty", or: false)
        // A file's path is absolute.
        input = try r.optionalString("stdin").map { $0 == "open" ? .open : .file($0) }
        guard let security = r.value("security") else { return }
        do {
            let r = try ObjectReader(security)
            noNewPrivileges = try r.bool("no_new_privileges", or: false)
            readOnly = try r.strings("read_only")
            hasPrivateTmp = try r.bool("private_tmp", or: false)
            if r.has("capabilities") {
                capabilities = try r.strings("capabilities").compactMap { Capability(rawValue: $0) }
            }
        } catch { throw error.under("security") }
    }

    static func octal(_ mask: UInt32) -> String {
        let digits = String(mask, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}

extension Ulimit {
    /// One number when both are the same, else `{soft, hard}`.
    var value: Value {
        func one(_ limit: Int64?) -> Value { limit.map { .int($0) } ?? .string("unlimited") }
        return soft == hard ? one(soft) : .object([.init("soft", one(soft)), .init("hard", one(hard))])
    }

    init(_ resource: Resource, _ value: Value) throws(ShapeError) {
        func one(_ value: Value?) throws(ShapeError) -> Int64? {
            if value == .string("unlimited") { return nil }
            guard let number = value?.int else { throw ShapeError(path: "", expected: "a limit") }
            return number
        }
        guard value.members != nil else {
            let both = try one(value)
            self.init(resource, soft: both, hard: both)
            return
        }
        self.init(resource, soft: try one(value["soft"]), hard: try one(value["hard"]))
    }
}
