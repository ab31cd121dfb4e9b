// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` in parsed scalars; once, so that no value is ever read as a reference.
extension Decoder {
    /// The text with its references replaced by what they stand for; nil after having said what is wrong.
    func render(_ text: String, mode: TextMode, at id: NodeID) -> String? {
        let bytes = Array(text.utf8)
        var output = RenderedText(mode: mode)
        var at = 0
        while at < bytes.count {
            guard bytes[at] == 36, at + 1 < bytes.count, bytes[at + 1] == 36 || bytes[at + 1] == 123 else {
                output.append(bytes[at])
                at += 1
                continue
            }
            if bytes[at + 1] == 36 {
                output.append(36)
                at += 2
                continue
            }
            let reference: VariableReference
            do {
                reference = try VariableReference(in: bytes, at: at)
            } catch {
                self.error(
                    "interpolation", "\"${\" begins no variable: \(error.reason)", at: id,
                    help: "write $${ for the two characters")
                return nil
            }
            guard substitute(reference, written: bytes[at..<reference.end], into: &output, at: id) else { return nil }
            at = reference.end
        }
        return output.finished
    }

    private func substitute(
        _ reference: VariableReference, written: ArraySlice<UInt8>, into output: inout RenderedText, at id: NodeID
    ) -> Bool {
        let name = reference.name
        let found = lookup(
            name, in: scope, from: ownDefinition.map { $0.name == name ? $0.layer + 1 : 0 } ?? 0, asker: id)
        switch found {
        case .broken: return false
        case .launch:
            guard output.mode == .launch else {
                error(
                    "launch-variable", "${\(name)} is known only at launch and can't be used here", at: id,
                    help: "it can stand in command, environment, probes, stop steps and log paths")
                return false
            }
            if name == "PORT", !scope.hasPort, reference.fallback == .none {
                error(
                    "undefined-variable", "${PORT} has no value: this service has no ports", at: id,
                    help: "give it ports, such as [8080] or [auto]")
                return false
            }
            output.append(reference: written)
            return true
        case .value(let template) where !template.isEmpty:
            if output.append(template: template) { return true }
            error(
                "launch-variable", "${\(name)} holds a variable that is known only at launch and can't be used here",
                at: id, help: "it can stand in command, environment, probes, stop steps and log paths")
            return false
        case .value, .undefined: break
        }
        switch reference.fallback {
        case .text(let fallback): output.append(literal: fallback)
        case .message(let message):
            error(
                "undefined-variable", message.isEmpty ? "${\(name)} is required" : "${\(name)}: \(message)", at: id,
                help: "define it: in environment, in an env_file, or as --env \(name)=…")
            return false
        case .none:
            if found == .undefined {
                error(
                    "undefined-variable", "${\(name)} is not defined", at: id,
                    help: "define it, or give a default: ${\(name):-…}; write $${ for a literal ${")
                return false
            }
        }
        return true
    }

    /// What a name stands for, from layer `start` of `scope` on.
    func lookup(_ name: String, in scope: Scope, from start: Int, asker: NodeID) -> Lookup {
        for layer in scope.layers.indices.dropFirst(start) {
            guard let at = scope.layers[layer].find(name) else { continue }
            switch scope.layers[layer][at] {
            case .known(let template): return .value(template)
            case .unset: return .undefined
            case .secret(let secret):
                error(
                    "secret", "${\(name)} is the secret \"\(secret)\", which can't be part of another text", at: asker,
                    help: "the process finds it in its environment; a shell command can use $\(name)")
                return .broken
            case .broken: return .broken
            case .open:
                error(
                    "variable-loop", "${\(name)} is defined by way of itself", at: asker,
                    help: "directly, a name in its own definition means the next weaker source")
                return .broken
            case .pending: return resolve(name, at: at, layer: layer, in: scope)
            }
        }
        if let parent = scope.parent { return lookup(name, in: parent, from: 0, asker: asker) }
        if LaunchTemplate.isLaunchName(name) { return .launch }
        return scope.callerValue(name).map { .value(LaunchTemplate.literal($0)) } ?? .undefined
    }

    /// Interpolates one definition; the name itself means the next weaker source in there.
    func resolve(_ name: String, at index: Int, layer: Int, in scope: Scope) -> Lookup {
        guard case .pending(let id) = scope.layers[layer][index] else { return .broken }
        guard resolutionDepth < Limits.manifestDepth else {
            error(
                "variable-loop", "variables are defined by way of more than \(Limits.manifestDepth) others", at: id,
                help: "write out some of them")
            scope.layers[layer][index] = .broken
            return .broken
        }
        scope.layers[layer][index] = .open(id)
        resolutionDepth += 1
        let (outerScope, outerOwn) = (self.scope, ownDefinition)
        self.scope = scope
        ownDefinition = OwnDefinition(name: name, layer: layer)
        defer {
            self.scope = outerScope
            ownDefinition = outerOwn
            resolutionDepth -= 1
        }
        guard let text = scalar(id, name, "text", mode: .launch)?.text else {
            scope.layers[layer][index] = .broken
            return .broken
        }
        scope.layers[layer][index] = .known(text)
        return .value(text)
    }
}

/// A text being put together.
struct RenderedText {
    let mode: TextMode
    private var done: [UInt8] = []
    /// What is literal since the last reference; it is escaped as a whole.
    private var literal: [UInt8] = []

    init(mode: TextMode) { self.mode = mode }

    mutating func append(_ byte: UInt8) { literal.append(byte) }
    mutating func append(literal text: String) { literal.append(contentsOf: text.utf8) }

    mutating func append(reference written: ArraySlice<UInt8>) {
        flush()
        done.append(contentsOf: written)
    }

    /// False when the template holds launch variables and this text can't.
    mutating func append(template: String) -> Bool {
        guard template.utf8.contains(36) else {
            append(literal: template)
            return true
        }
        if LaunchTemplate.references(in: template).isEmpty {
            append(literal: LaunchTemplate.resolve(template, with: [:]))
            return true
        }
        guard mode == .launch else { return false }
        flush()
        done.append(contentsOf: template.utf8)
        return true
    }

    var finished: String {
        var copy = self
        copy.flush()
        return String(decoding: copy.done, as: UTF8.self)
    }

    private mutating func flush() {
        if mode == .launch, literal.contains(36) {
            done.append(contentsOf: LaunchTemplate.literal(String(decoding: literal, as: UTF8.self)).utf8)
        } else {
            done.append(contentsOf: literal)
        }
        literal.removeAll(keepingCapacity: true)
    }
}
