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
        guard let from = section["from"] else {
            error("missing", "\"levels\" needs \"from\"", at: node, help: "write \(shape)")
            return nil
        }
        if logging.stdout == .discard, logging.stderr == .discard || logging.stderr == .merge {
            error(
                "conflict", "\"levels\" has nothing to read: both outputs are discarded", at: node,
                help: "let stdout or stderr go to a file")
        }
        guard let source = pattern(from, "from").map({ LoggingSpec.Levels.Source(text: $0) }) else { return nil }
        guard let errors = section["error_file"] else {
            if logging.forward == .none {
                error(
                    "missing", "\"levels\" needs \"error_file\" where nothing is forwarded", at: node,
                    help: "write \(shape)")
            }
            return LoggingSpec.Levels(from: source, errorFile: nil)
        }
        return LoggingSpec.Levels(from: source, errorFile: errorFile(errors, logging, into: decoded))
    }

    private func errorFile(_ errors: NodeID, _ logging: LoggingSpec, into decoded: DecodedService) -> String? {
        guard let text = text(errors, "error_file", mode: .launch), let path = path(errors, "error_file", mode: .launch)
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
        return path
    }
}
