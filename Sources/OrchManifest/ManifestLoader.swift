// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// What a load needs to know of the world; this module itself opens nothing.
public struct ManifestInput {
    /// Manifests as they were given: the first defines name and folder, each is laid over those before it. `-` is standard input.
    public var files: [String]
    /// Absolute; relative files, and the folder of `-`, are in it.
    public var currentDirectory: String
    /// The environment of the command: for interpolation, and for what services inherit.
    public var callerEnvironment: [EnvironmentEntry]
    /// `--env`: stronger than anything written.
    public var overrides: [EnvironmentEntry]
    /// The service whose variables are to be told one by one, in `LoadedManifest.explained`.
    public var explains: String?
    /// `--profile`: services of these profiles are enabled; `*` is all of them.
    public var profiles: [String]
    /// Reads a file by its absolute path, or standard input for `-`. A `Fault` for a file that is missing has `ENOENT` in its reason.
    public var read: (String) throws(Fault) -> [UInt8]
    /// Looks at the file of a secret: a keyed digest of what it holds, nil when there is no key, a `Fault` when it can't be read. Nil when
    /// that can't be asked.
    public var secret: ((String) throws(Fault) -> Digest?)?
    /// Whether this host has a user of this name or number; nil when that can't be asked.
    public var isKnownUser: ((String) -> Bool)?
    /// Whether this host has a time zone of this name; nil when that can't be asked.
    public var isKnownTimeZone: ((String) -> Bool)?
    /// What is wrong with a POSIX extended regular expression, nil for nothing; nil when that can't be asked.
    public var patternFlaw: ((String) -> String?)?

    public init(
        files: [String], currentDirectory: String, callerEnvironment: [EnvironmentEntry] = [],
        overrides: [EnvironmentEntry] = [], profiles: [String] = [],
        isKnownUser: ((String) -> Bool)? = nil, isKnownTimeZone: ((String) -> Bool)? = nil,
        patternFlaw: ((String) -> String?)? = nil,
        read: @escaping (String) throws(Fault) -> [UInt8]
    ) {
        self.files = files
        self.currentDirectory = currentDirectory
        self.callerEnvironment = callerEnvironment
        self.overrides = overrides
        self.profiles = profiles
        self.read = read
        self.isKnownUser = isKnownUser
        self.isKnownTimeZone = isKnownTimeZone
        self.patternFlaw = patternFlaw
    }

    /// The manifests as they are read: absolute, but for standard input.
    public var paths: [String] {
        files.map { $0 == "-" ? "-" : LexicalPath.absolute($0, from: currentDirectory) }
    }
}

/// A manifest without mistakes.
public struct LoadedManifest: Equatable, Sendable {
    /// Everything but the caller's `fileLimit` and `adopt`. `manifestPath` is `-` for standard input.
    public var request: ApplyRequest
    /// What will never take effect, sorted by position.
    public var warnings: [Diagnostic]
    /// Variables of the caller that the texts ask for, sorted.
    public var variables: [String]
    /// What services get of the caller's variables, by name.
    public var inheritance: [String]
    /// The variables of the service that was asked for, and where each comes from; nil when there is no such service.
    public var explained: [ExplainedVariable]?
}

/// Every mistake of a manifest, and its warnings, sorted by file and position; at least one is an error.
public struct ManifestErrors: Error, Equatable, Sendable {
    public var diagnostics: [Diagnostic]
}

/// YAML text to a stack.
public enum ManifestLoader {
    /// Reads, merges, interpolates and checks. Nothing outside is changed; the same input gives the same result.
    public static func load(_ input: ManifestInput) -> Result<LoadedManifest, ManifestErrors> {
        let decoder = Decoder(input)
        let request = decoder.load()
        let diagnostics = decoder.reporter.finished(decoder.sources)
        guard let request, !decoder.reporter.hasErrors else {
            return .failure(ManifestErrors(diagnostics: diagnostics))
        }
        return .success(
            LoadedManifest(
                request: request, warnings: diagnostics, variables: decoder.outermost.asked.sorted(),
                inheritance: decoder.inheritance, explained: decoder.explained))
    }
}

extension Decoder {
    func load() -> ApplyRequest? {
        let paths = input.paths
        // All that were named come first, then what they include: whoever looks again looks in that order.
        let roots = paths.indices.map { parse(paths[$0], shown: input.files[$0]) }
        guard let first = paths.first, !roots.contains(nil) else {
            if paths.isEmpty {
                reporter.add(Diagnostic(code: "missing", "no manifest was named", help: "name one with -f"))
            }
            return nil
        }
        // Nothing of the texts has a value yet.
        scope = Scope(parent: outermost)
        scope.layers = [overrides]
        guard let root = merged(roots.compactMap(\.self), chain: [paths]) else { return nil }
        scope = outermost
        return request(root, manifestPath: first)
    }

    /// `--env`.
    var overrides: Layer {
        var overrides = Layer()
        overrides.title = "--env"
        for entry in input.overrides { overrides.define(entry.name, .known(LaunchTemplate.literal(entry.text))) }
        return overrides
    }

    /// Reads a file that was named; nil after having said why not.
    private func parse(_ path: String, shown: String) -> NodeID? {
        do throws(Fault) { return parse(try input.read(path), path, shown: path == "-" ? "<stdin>" : shown) } catch {
            reporter.add(
                Diagnostic(
                    code: "unreadable", "\(path == "-" ? "<stdin>" : shown): \(error.text)",
                    help: error.remedy
                        ?? (error.reason.contains("ENOENT")
                            ? "name the manifest with -f, or go to its folder" : "whoever asks must be able to read it")
                ))
            return nil
        }
    }

    /// The bytes of the manifest at an absolute path, or of standard input.
    func parse(_ bytes: [UInt8], _ path: String, shown: String) -> NodeID? {
        let source = Source(name: shown, bytes: bytes)
        sources.append(source)
        let isFile = path != "-"
        folders.append(
            Folder(
                absolute: isFile ? LexicalPath.folder(of: path) : input.currentDirectory,
                shown: isFile ? LexicalPath.folder(of: shown) : ""))
        if let flaw = source.flaw(what: "a manifest") {
            reporter.add(flaw)
            return nil
        }
        return TreeBuilder.build(
            source, file: sources.count - 1, into: &tree, counting: &expandedNodes, reporter: &reporter)
    }
}
