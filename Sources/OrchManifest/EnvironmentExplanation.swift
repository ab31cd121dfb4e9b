// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// Where a variable of a service comes from, and what it hides.
public struct ExplainedVariable: Equatable, Sendable {
    /// One place that says something of it.
    public struct Source: Equatable, Sendable {
        /// `environment of the service`, `--env`, `inherited`.
        public var title: String
        public var position: Position?
    }
    public var name: String
    /// In the form of a `LaunchTemplate`; nil: it is unset, or a secret.
    public var text: String?
    /// The name of the secret that it holds.
    public var secret: String?
    public var source: Source
    /// Weaker sources that also have it, the strongest first.
    public var hidden: [Source]
}

extension Decoder {
    /// Every variable of the service whose scope this is, sorted by name.
    func explained(_ spec: ServiceSpec, _ scope: Scope, inherited: [EnvironmentEntry]) -> [ExplainedVariable] {
        var found: [String: [ExplainedVariable.Source]] = [:]
        var here: Scope? = scope
        while let level = here {
            for layer in level.layers {
                for definition in layer.definitions {
                    let source = ExplainedVariable.Source(
                        title: layer.title, position: definition.place.map { position($0) })
                    // `--env` is on every level.
                    guard source.position != nil || found[definition.name]?.contains(source) != true else { continue }
                    found[definition.name, default: []].append(source)
                }
            }
            here = level.parent
        }
        for entry in inherited {
            found[entry.name, default: []].append(.init(title: "inherited from the caller of orch", position: nil))
        }
        return found.keys.sorted().compactMap { name in
            guard let sources = found[name], let first = sources.first else { return nil }
            let secret = spec.secrets.first { $0.variables.contains(name) }?.name
            let isHidden = secret != nil || spec.unset.contains(name)
            let text =
                spec.environment.first { $0.name == name }?.text
                ?? (isHidden ? nil : inherited.first { $0.name == name }.map { LaunchTemplate.literal($0.text) })
            return ExplainedVariable(
                name: name, text: text, secret: secret, source: first, hidden: Array(sources.dropFirst()))
        }
    }

    private func position(_ place: Layer.Place) -> Position {
        Position(file: sources[Int(place.source)].name, line: Int(place.line), column: Int(place.column))
    }
}
