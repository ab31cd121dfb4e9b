// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel

struct SchemaCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of manifests, for editors.")

    func run(in context: Context) throws(Failure) -> ExitCode {
        try context.console.write(ManifestSchema.json)
        return .success
    }
}
