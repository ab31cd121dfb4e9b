// SPDX-License-Identifier: Apache-2.0

/// `{stdout, stderr, format, rotate: {size, keep, every, max_age, total, compress}, when_full, strip_ansi, redact, levels, forward}`.
extension LoggingSpec: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        var w = ObjectWriter(complete: complete)
        w.set("stdout", stdout.value)
        w.set("stderr", stderr.value)
        w.set("format", format.rawValue, unless: Format.raw.rawValue)
        w.setObject("rotate", rotate.written(complete: complete))
        w.set("when_full", whenFull.rawValue, unless: WhenFull.block.rawValue)
        w.set("strip_ansi", stripANSI, unless: false)
        if complete || !redact.isEmpty { w.set("redact", Value.strings(redact)) }
        w.set("forward", forward.rawValue, unless: Forward.none.rawValue)
        if complete || levels != nil { w.set("levels", levels?.value ?? "none") }
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init()
        do { stdout = try Sink(r.value("stdout")) } catch { throw error.under("stdout") }
        do { stderr = try Sink(r.value("stderr")) } catch { throw error.under("stderr") }
        format = try r.word("format", or: .raw)
        rotate = try r.optional("rotate") ?? Rotation()
        whenFull = try r.word("when_full", or: .block)
        stripANSI = try r.bool("strip_ansi", or: false)
        redact = try r.strings("redact")
        forward = try r.word("forward", or: Forward.none)
        if r.value("levels") != "none" { levels = try r.optional("levels") }
    }
}

extension LoggingSpec.Sink {
    /// Nil for the standard file, null for nothing, `merge`, a path, or `{append: path}`.
    var value: Value? {
        switch self {
        case .standard: nil
        case .file(let path): .string(path)
        case .append(let path): ["append": .string(path)]
        case .discard: .null
        case .merge: "merge"
        }
    }
    init(_ value: Value?) throws(ShapeError) {
        switch value {
        case nil: self = .standard
        case .null: self = .discard
        case .string("merge"): self = .merge
        case .string(let path): self = .file(path)
        case .object:
            guard let path = value?["append"]?.string else { throw ShapeError(path: "append", expected: "a path") }
            self = .append(path)
        case .bool, .int, .double, .array: throw ShapeError(path: "", expected: "a path, null or merge")
        }
    }
}

/// `{from: json | prefix | REGEX, error_file: path}`.
extension LoggingSpec.Levels: ValueCodable {
    public var value: Value {
        var w = ObjectWriter()
        w.set("from", from.text)
        w.set("error_file", errorFile)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init(from: Source(text: try r.string("from")), errorFile: try r.optionalString("error_file"))
    }
}

extension LoggingSpec.Levels.Source {
    /// As a manifest says it. A pattern of just the word `json` is `[j]son`.
    public var text: String {
        switch self {
        case .json: "json"
        case .prefix: "prefix"
        case .pattern(let text): text
        }
    }
    public init(text: String) {
        switch text {
        case "json": self = .json
        case "prefix": self = .prefix
        default: self = .pattern(text)
        }
    }
}

extension LoggingSpec.Rotation: ValueCodable {
    public var value: Value { written(complete: false) }

    func written(complete: Bool) -> Value {
        let standard = LoggingSpec.Rotation()
        var w = ObjectWriter(complete: complete)
        if complete || size != standard.size { w.set("size", size.map(SizeText.format) ?? "none") }
        w.set("keep", keep, unless: standard.keep)
        w.set("every", every)
        w.set("max_age", maxAge)
        w.set("total", total.map(SizeText.format))
        w.set("compress", compress.rawValue, unless: standard.compress.rawValue)
        return w.value
    }

    public init(_ value: Value) throws(ShapeError) {
        let r = try ObjectReader(value)
        self.init()
        if let text = try r.optionalString("size") {
            guard text == "none" || SizeText.parse(text) != nil else {
                throw ShapeError(path: "size", expected: "a size or none")
            }
            size = SizeText.parse(text)
        }
        keep = try r.int("keep", or: keep)
        every = try r.optionalDuration("every")
        maxAge = try r.optionalDuration("max_age")
        if let text = try r.optionalString("total") {
            guard let bytes = SizeText.parse(text) else { throw ShapeError(path: "total", expected: "a size") }
            total = bytes
        }
        compress = try r.word("compress", or: compress)
    }
}
