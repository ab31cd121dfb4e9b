// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel

struct ExportCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Make another tool's files from the manifest.",
        discussion: """
            All of it goes to standard output: one file as it is, several each behind a line `# ---- NAME`; with --to they are written into a \
            folder. What can't be carried over stands in them as comments, and is told on standard error with its place in the manifest, the reason \
            and what to do instead. Variables are filled in and env files read as `orch config` shows it; secrets are referred to and never \
            read. Nothing is started.
            """)

    @Argument(
        help: ArgumentHelp("What to make files for: \(Self.tools.joined(separator: ", ")).", valueName: "tool"),
        completion: .list(Self.tools), transform: Self.format(of:))
    var format: ExportFormat

    @OptionGroup var manifest: ManifestOptions

    @Option(
        help: ArgumentHelp("Write the files into this folder, which is made.", valueName: "folder"),
        completion: .directory)
    var to: String?

    @Flag(help: "With --to: write over files that are there.")
    var force = false

    private static let tools = ExportFormat.allCases.map(\.rawValue)

    private static func format(of word: String) throws -> ExportFormat {
        if let format = ExportFormat(rawValue: word) { return format }
        let near = tools.min { EditDistance.between(word, $0) < EditDistance.between(word, $1) } ?? ""
        let isNear = EditDistance.between(word, near) <= 3
        throw ValidationError(
            "there is no export to \"\(word)\"; \(isNear ? "did you mean \"\(near)\"?" : "it is one of \(tools.joined(separator: ", ")).")"
        )
    }

    func validate() throws {
        if force, to == nil { throw ValidationError("--force is for --to FOLDER.") }
    }

    func run(in context: Context) throws(Failure) -> ExitCode {
        let exported = ManifestExport.stack(try manifest.load(in: context), as: format)
        ManifestOptions.print(exported.notes, in: context)
        if let to {
            do throws(Fault) {
                // Seen for all before anything is written.
                for file in exported.files where !force && context.platform.isFile("\(to)/\(file.name)") {
                    throw Fault(
                        step: "write", subject: "\(to)/\(file.name)", reason: "there is such a file",
                        remedy: "--force writes over it")
                }
                for file in exported.files {
                    try context.platform.write(Array(file.text.utf8), toFile: file.name, in: to)
                }
            } catch {
                throw Failure(.failed, error)
            }
            for file in exported.files { try context.console.print([Line("\(to)/\(file.name)")]) }
        } else {
            try context.console.write(exported.text)
        }
        context.console.remark(Line("orch: \(Self.summary(exported))", exported.notes.isEmpty ? .good : .caution))
        return .success
    }

    private static func summary(_ exported: ExportedStack) -> String {
        var parts = [CountText.of(exported.services, "service"), CountText.of(exported.files.count, "file")]
        let lost = exported.notes.count { $0.code == "not-exported" }
        if lost > 0 { parts.append("\(lost) not carried over") }
        let changed = exported.notes.count - lost
        if changed > 0 { parts.append("\(changed) changed") }
        return parts.joined(separator: "; ")
    }
}
