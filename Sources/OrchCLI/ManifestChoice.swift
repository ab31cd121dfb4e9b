// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel

/// Which manifest is meant, and its reading.
struct ManifestOptions: ParsableArguments {
    @Argument(
        help:
            "The manifest; `-` is standard input. Default: orch.yaml, then stack.yaml, here or in the nearest folder above.",
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @Option(
        name: .customShort("f"), parsing: .singleValue,
        help: ArgumentHelp("A manifest; each further one is laid over those before it.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var files: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("A variable that is stronger than anything written.", valueName: "name=value"))
    var env: [String] = []

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Enable the services of a profile; `*` is all of them.", valueName: "name"))
    var profile: [String] = []

    func validate() throws {
        if file != nil, !files.isEmpty { throw ValidationError("Give the manifest as FILE or with -f, not both.") }
        for entry in env where !entry.contains("=") || entry.first == "=" {
            throw ValidationError("--env takes NAME=VALUE, not \"\(entry)\".")
        }
    }

    /// Reads, merges and checks it. Warnings are printed; errors are printed and thrown as exit 3.
    /// `isApplied`: what it says is to be kept, secrets as keyed digests.
    func load(in context: Context, isApplied: Bool = false) throws(Failure) -> ApplyRequest {
        let sight = try sight(context.platform)
        sight.makesKey = isApplied
        let loaded = try loaded(try input(context.platform, through: sight), in: context)
        var request = loaded.request
        request.fileLimit = context.platform.fileLimit
        request.origin = sight.origin(of: loaded)
        return request
    }

    /// The variables of a service and where they come from.
    func explained(_ service: String, in context: Context) throws(Failure) -> [ExplainedVariable] {
        var input = try input(context.platform, through: nil)
        input.explains = service
        let loaded = try loaded(input, in: context)
        if let explained = loaded.explained { return explained }
        throw Failure(
            .usage, "the manifest has no service \"\(service)\"",
            help: ServiceNames.help(service, loaded.request.stack.services.map(\.name)))
    }

    private func loaded(_ input: ManifestInput, in context: Context) throws(Failure) -> LoadedManifest {
        switch ManifestLoader.load(input) {
        case .success(let loaded):
            Self.print(loaded.warnings, in: context)
            return loaded
        case .failure(let errors):
            Self.print(errors.diagnostics, in: context)
            let count = errors.diagnostics.count { $0.severity == .error }
            throw Failure(.manifest, "\(CountText.of(count, "error")) in the manifest: nothing was changed")
        }
    }

    func result(in context: Context) throws(Failure) -> Result<LoadedManifest, ManifestErrors> {
        ManifestLoader.load(try input(context.platform, through: nil))
    }

    func sight(_ platform: any Platform) throws(Failure) -> ManifestSight {
        ManifestSight(platform, manifests: try paths(platform), overrides: env, profiles: profile)
    }

    /// What the loader is to read; `sight` remembers what it asks.
    func input(_ platform: any Platform, through sight: ManifestSight?) throws(Failure) -> ManifestInput {
        let overrides = env.map { entry in
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return EnvironmentEntry(String(parts[0]), String(parts[1]))
        }
        var input = ManifestInput(
            files: try paths(platform), currentDirectory: platform.workingDirectory,
            callerEnvironment: platform.environment, overrides: overrides, profiles: profile,
            isKnownUser: { platform.isKnownUser($0) }, isKnownTimeZone: { platform.isKnownTimeZone($0) },
            patternFlaw: { pattern in
                do throws(Fault) { _ = try platform.pattern(pattern) } catch { return error.reason }
                return nil
            },
            read: { (path) throws(Fault) in try platform.read(path) })
        input.secret = { (path) throws(Fault) in
            _ = try ManifestSight.secret(path, platform)
            return nil
        }
        guard let sight else { return input }
        input.secret = { (path) throws(Fault) in try sight.secret(path) }
        let manifests = input.paths
        input.isKnownUser = { sight.isKnownUser($0) }
        input.isKnownTimeZone = { sight.isKnownTimeZone($0) }
        input.read = { (path) throws(Fault) in try sight.read(path, isManifest: manifests.contains(path)) }
        return input
    }

    /// Whether one is named, or is here.
    func isMeant(_ platform: any Platform) -> Bool {
        file != nil || !files.isEmpty || Self.nearest(platform) != nil
    }

    /// As they are to be shown: relative where they were given so.
    func paths(_ platform: any Platform) throws(Failure) -> [String] {
        if let file { return [file] }
        if !files.isEmpty { return files }
        if let found = Self.nearest(platform) { return [found] }
        throw Failure(
            .manifest, "no orch.yaml or stack.yaml in \(platform.workingDirectory) or any folder above it",
            help: "name one: `orch … FILE`, or `-` for standard input")
    }

    static func print(_ diagnostics: [Diagnostic], in context: Context) {
        let isColoured = context.console.palette(.errors).isColoured
        var text = ""
        for diagnostic in diagnostics { text += DiagnosticText.render(diagnostic, color: isColoured) }
        if !text.isEmpty { context.console.writeError(text) }
    }

    /// The manifest that a command without a name means: in this folder just its name, above it its whole path.
    static func nearest(_ platform: any Platform) -> String? {
        var folder = platform.workingDirectory
        while true {
            for name in ["orch.yaml", "stack.yaml"] {
                let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
                guard platform.isFile(path) else { continue }
                return folder == platform.workingDirectory ? name : path
            }
            guard let slash = folder.lastIndex(of: "/"), folder != "/" else { return nil }
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
        }
    }

    /// The same as an absolute path.
    static func nearestAbsolute(_ platform: any Platform) -> String? {
        guard let path = nearest(platform) else { return nil }
        if path.hasPrefix("/") { return path }
        return platform.workingDirectory == "/" ? "/\(path)" : "\(platform.workingDirectory)/\(path)"
    }
}
