// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel

struct ImportCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make a manifest from the file of another tool.",
        discussion: """
            The manifest goes to standard output: `orch import compose compose.yaml > orch.yaml`, into the folder of FILE. What can't be \
            carried over stands in it as a comment, and is told on standard error with its line, the reason and what to do instead. \
            Nothing is started, and nothing is read but FILE and, where the tool itself reads them, the .env beside it and the Dockerfiles that it names.
            """)

    @Argument(
        help: ArgumentHelp("What FILE is for: \(Self.tools.joined(separator: ", ")).", valueName: "tool"),
        completion: .list(Self.tools), transform: Self.format(of:))
    var format: ImportFormat

    @Argument(
        help: ArgumentHelp(
            "The file; `-` is standard input. Of supervisord, systemd and nssm several make one stack.",
            valueName: "file"),
        completion: .file())
    var files: [String]

    private static let tools = ImportFormat.allCases.map(\.rawValue)

    private static func format(of word: String) throws -> ImportFormat {
        if let format = ImportFormat(rawValue: word) { return format }
        let near = tools.min { EditDistance.between(word, $0) < EditDistance.between(word, $1) } ?? ""
        let isNear = EditDistance.between(word, near) <= 3
        throw ValidationError(
            "\"\(word)\" can't be imported; \(isNear ? "did you mean \"\(near)\"?" : "it is one of \(tools.joined(separator: ", ")).")"
        )
    }

    func validate() throws {
        if files.count > 1, !format.takesSeveral {
            throw ValidationError("`orch import \(format.rawValue)` takes one file.")
        }
    }

    func run(in context: Context) throws(Failure) -> ExitCode {
        let platform = context.platform
        var input = ImportInput(format: format, files: [], folder: platform.workingDirectory)
        for file in files {
            do throws(Fault) {
                input.files.append(.init(name: file == "-" ? "<stdin>" : file, bytes: try platform.read(file)))
            } catch {
                throw Failure(.failed, error)
            }
        }
        if let first = files.first, first != "-" {
            input.folder = Self.folder(of: first, from: platform.workingDirectory)
        }
        let folder = input.folder
        input.beside = { try? platform.read(folder == "/" ? "/\($0)" : "\(folder)/\($0)") }
        switch ManifestImport.manifest(from: input) {
        case .success(let imported):
            ManifestOptions.print(imported.notes, in: context)
            try context.console.write(imported.text)
            context.console.remark(Line("orch: \(Self.summary(imported))", imported.notes.isEmpty ? .good : .caution))
            return .success
        case .failure(let errors):
            ManifestOptions.print(errors.diagnostics, in: context)
            let count = errors.diagnostics.count { $0.severity == .error }
            throw Failure(.manifest, "\(CountText.of(count, "error")): nothing was imported")
        }
    }

    private static func summary(_ imported: ImportedManifest) -> String {
        var parts = [CountText.of(imported.services, "service")]
        let lost = imported.notes.count { $0.code == "not-imported" }
        if lost > 0 { parts.append("\(lost) not carried over") }
        let changed = imported.notes.count - lost
        if changed > 0 { parts.append("\(changed) changed") }
        if !imported.variables.isEmpty { parts.append("to be defined: \(imported.variables.joined(separator: ", "))") }
        return parts.joined(separator: "; ")
    }

    private static func folder(of file: String, from current: String) -> String {
        let absolute = file.hasPrefix("/") ? file : current == "/" ? "/\(file)" : "\(current)/\(file)"
        guard let slash = absolute.lastIndex(of: "/"), slash != absolute.startIndex else { return "/" }
        return String(absolute[..<slash])
    }
}
