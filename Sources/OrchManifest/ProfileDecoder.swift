// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// `profiles`, and what `--profile` makes of them.
extension Decoder {
    /// A service outside of all of its profiles is not enabled.
    func profiles(_ node: NodeID, of spec: inout ServiceSpec) {
        guard let items = items(node, "profiles", of: "profiles") else { return }
        var names: [String] = []
        for item in items {
            guard let name = text(item, "profiles") else { continue }
            guard Self.isProfile(name) else {
                error(
                    "name", "\"\(name.prefix(80))\" can't name a profile", at: item,
                    help: "letters, digits, ., _ and -, the first one a letter or digit")
                continue
            }
            if !names.contains(name) { names.append(name) }
            if !knownProfiles.contains(name) { knownProfiles.append(name) }
        }
        let isInside = names.isEmpty || names.contains { input.profiles.contains($0) } || input.profiles.contains("*")
        if !isInside {
            spec.enabled = false
            spec.profiles = names.sorted()
        }
    }

    /// A profile that was asked for and that no service has.
    func checkProfiles() {
        for name in input.profiles where name != "*" && !knownProfiles.contains(name) {
            let known =
                knownProfiles.isEmpty
                ? "no service has profiles" : "they are in \(knownProfiles.joined(separator: ", "))"
            reporter.add(
                Diagnostic(
                    .warning, code: "no-effect", "--profile \(name): no service is in it",
                    help: Suggestion.help(for: name, among: knownProfiles) ?? known))
        }
    }

    /// As Docker Compose has it.
    static func isProfile(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetterOrDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == 46 || $0 == 95 || $0 == 45 }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57)
    }
}
