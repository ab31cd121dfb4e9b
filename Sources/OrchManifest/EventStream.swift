// SPDX-License-Identifier: Apache-2.0
internal import CYAML

/// libyaml's events over one text (yaml.h, libyaml 0.2). Owns the parser and a copy of the text; libyaml itself does not recurse.
@safe struct EventStream: ~Copyable {
    /// Where an event begins or ends; line and column count from 0, columns in Unicode scalars.
    struct Mark: Equatable {
        var line: Int
        var column: Int
    }
    /// A syntax error.
    struct Failure: Error {
        var problem: String
        var mark: Mark
        /// What was being parsed, and where that began.
        var context: String?
        var contextMark: Mark
        /// The byte that can't be read at all, instead of a mark.
        var offset: Int?
    }
    enum Content {
        case end
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(text: String, isPlain: Bool, hasDollar: Bool, hasNUL: Bool, anchor: String?, tag: String?)
        case sequenceStart(anchor: String?, tag: String?)
        case mappingStart(anchor: String?, tag: String?)
        case collectionEnd
    }
    struct Event {
        var content: Content
        var start: Mark
        var end: Mark
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let isReady: Bool

    init(_ bytes: [UInt8]) {
        unsafe input = .allocate(capacity: max(1, bytes.count))
        _ = unsafe input.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        isReady = unsafe yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        if isReady { unsafe yaml_parser_delete(parser) }
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event; nothing may be asked for after `.end` or a failure.
    borrowing func next() throws(Failure) -> Event {
        let zero = Mark(line: 0, column: 0)
        guard isReady else {
            throw Failure(problem: "out of memory", mark: zero, context: nil, contextMark: zero, offset: nil)
        }
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure }
            defer { unsafe yaml_event_delete(&event) }
            guard let content = unsafe Self.content(of: event) else { continue }
            return unsafe Event(content: content, start: Self.mark(event.start_mark), end: Self.mark(event.end_mark))
        }
    }

    private var failure: Failure {
        let problem = unsafe Self.text(parser.pointee.problem) ?? "it can't be read"
        let isReader = unsafe parser.pointee.error == YAML_READER_ERROR
        return unsafe Failure(
            problem: problem, mark: Self.mark(parser.pointee.problem_mark), context: Self.text(parser.pointee.context),
            contextMark: Self.mark(parser.pointee.context_mark), offset: isReader ? parser.pointee.problem_offset : nil)
    }

    /// Nil for what begins and ends the stream without saying anything.
    private static func content(of event: yaml_event_t) -> Content? {
        switch unsafe event.type {
        case YAML_STREAM_END_EVENT: return .end
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return unsafe .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return unsafe .scalar(
                text: String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE,
                hasDollar: bytes.contains(36), hasNUL: bytes.contains(0), anchor: text(scalar.anchor),
                tag: text(scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            return unsafe .sequenceStart(
                anchor: text(event.data.sequence_start.anchor), tag: text(event.data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            return unsafe .mappingStart(
                anchor: text(event.data.mapping_start.anchor), tag: text(event.data.mapping_start.tag))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .collectionEnd
        default: return nil
        }
    }

    private static func mark(_ mark: yaml_mark_t) -> Mark { Mark(line: Int(mark.line), column: Int(mark.column)) }
    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}
