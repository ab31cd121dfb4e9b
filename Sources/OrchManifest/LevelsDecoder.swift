// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// `logging.levels`, after the outputs; nil for `none`.
    func levels(_ node: NodeID, _ logging: LoggingSpec, into decoded: DecodedService) -> LoggingSpec.Levels? {
        let shape = "none, or { from: json, error_file: errors.log }"
        if tree.kind(node) == .scalar {
            if let text = text(node, "levels"), text != "none" {
                error("value", "\"levels\" can't be \"\(text)\"", at: node, help: "it is \(shape)")
            }
            return nil
        }
        guard let section = section(node, Fields.levels, "levels") else { return nil }
        guard let from = section["from"], let errors = section["error_file"] else {
            let missing = section["from"] == nil ? "from" : "error_file"
            error("missing", "\"levels\" needs \"\(missing)\"", at: node, help: "write \(shape)")
            return nil
        }
        if logging.stdout == .discard, logging.stderr == .discard || logging.stderr == .merge {
            error(
                "conflict", "\"levels\" has nothing to read: both outputs are discarded", at: node,
                help: "let stdout or stderr go to a file")
        }
        guard let source = source(from), let text = text(errors, "error_file", mode: .launch),
            let path = path(errors, "error_file", mode: .launch)
        else { return nil }
        guard text.utf8.last != 47 else {
            error("value", "\"error_file\": \"\(text)\" is a folder", at: errors, help: "name a file in it")
            return nil
        }
        if decoded.sinks.contains(where: { $0.path == path }) || logging.stdout == .append(path)
            || logging.stderr == .append(path)
        {
            error(
                "log-conflict", "\"error_file\" is the file of an output, where its lines are already", at: errors,
                help: "name another one")
        } else {
            decoded.sinks.append((path, errors))
        }
        return LoggingSpec.Levels(from: source, errorFile: path)
    }

    private func source(_ node: NodeID) -> LoggingSpec.Levels.Source? {
        pattern(node, "from").map { LoggingSpec.Levels.Source(text: $0) }
    }
}
