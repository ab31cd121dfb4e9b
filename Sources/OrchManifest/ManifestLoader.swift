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
    /// Reads a file by its absolute path, or standard input for `-`. A `Fault` for a file that is missing has `ENOENT` in its reason.
    public var read: (String) throws(Fault) -> [UInt8]
    /// Whether this host has a user of this name or number; nil when that can't be asked.
    public var isKnownUser: ((String) -> Bool)?
    /// Whether this host has a time zone of this name; nil when that can't be asked.
    public var isKnownTimeZone: ((String) -> Bool)?
    /// What is wrong with a POSIX extended regular expression, nil for nothing; nil when that can't be asked.
    public var patternFlaw: ((String) -> String?)?

    public init(
        files: [String], currentDirectory: String, callerEnvironment: [EnvironmentEntry] = [],
        overrides: [EnvironmentEntry] = [],
        isKnownUser: ((String) -> Bool)? = nil, isKnownTimeZone: ((String) -> Bool)? = nil,
        patternFlaw: ((String) -> String?)? = nil,
        read: @escaping (String) throws(Fault) -> [UInt8]
    ) {
        self.files = files
        self.currentDirectory = currentDirectory
        self.callerEnvironment = callerEnvironment
        self.overrides = overrides
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
                inheritance: decoder.inheritance))
    }
}

extension Decoder {
    fileprivate func load() -> ApplyRequest? {
        var root: NodeID?
        var isWhole = true
        for path in input.files {
            guard let next = parse(path) else {
                isWhole = false
                continue
            }
            root = root.map { overlay(next, on: $0, as: .stack, .file) } ?? next
        }
        guard isWhole, let root, let first = input.files.first else {
            if input.files.isEmpty { reporter.add(Diagnostic(code: "missing", "no manifest was named")) }
            return nil
        }
        let path = first == "-" ? "-" : LexicalPath.absolute(first, from: input.currentDirectory)
        return request(root, manifestPath: path)
    }

    private func parse(_ path: String) -> NodeID? {
        let isStandardInput = path == "-"
        let absolute = isStandardInput ? "-" : LexicalPath.absolute(path, from: input.currentDirectory)
        let name = isStandardInput ? "<stdin>" : path
        let bytes: [UInt8]
        do throws(Fault) {
            bytes = try input.read(absolute)
        } catch {
            reporter.add(Diagnostic(code: "unreadable", "\(name): \(error.text)"))
            return nil
        }
        let source = Source(name: name, bytes: bytes)
        sources.append(source)
        folders.append(
            Folder(
                absolute: isStandardInput ? input.currentDirectory : LexicalPath.folder(of: absolute),
                shown: isStandardInput ? "" : LexicalPath.folder(of: path)))
        if let flaw = source.flaw(what: "a manifest") {
            reporter.add(flaw)
            return nil
        }
        return TreeBuilder.build(source, file: sources.count - 1, into: &tree, reporter: &reporter)
    }
}
