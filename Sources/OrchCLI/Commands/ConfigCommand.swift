// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel
internal import OrchWire

struct ConfigCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print the manifest as orch understands it: merged, interpolated, defaults filled in.")

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Print it as JSON.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Tell instead where each variable of a service comes from, and what it hides.", valueName: "service"))
    var explainEnv: String?

    func run(in context: Context) throws(Failure) -> ExitCode {
        if let explainEnv {
            let view = EnvironmentView(variables: try manifest.explained(explainEnv, in: context))
            if json {
                try context.console.write(JSON.bytes(of: view.value) + [10])
            } else {
                try context.console.print(view.lines(width: context.console.width))
            }
            return .success
        }
        let request = try manifest.load(in: context)
        if json {
            try context.console.write(JSON.bytes(of: request.stack.value) + [10])
        } else {
            try context.console.write(ManifestWriter.yaml(request))
        }
        return .success
    }
}
