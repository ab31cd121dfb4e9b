// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// The reference of the commands, made from their own help.
public enum CommandReference {
    /// The commands of `docs/commands.md`, in the order of `orch --help`.
    public static var markdown: String {
        var text = ""
        for group in Orch.configuration.groupedSubcommands {
            text += "## \(group.name)\n\n"
            for command in group.subcommands { text += section(command, under: "orch") }
        }
        return text
    }

    private static func section(_ command: any ParsableCommand.Type, under parent: String) -> String {
        let configuration = command.configuration
        let name = "\(parent) \(configuration.commandName ?? "")"
        let help = Orch.helpMessage(for: command, columns: 100).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("  --version ") && !$0.hasPrefix("  -h, --help ") }
            .joined(separator: "\n")
        var text = "### \(name)\n\n```text\n\(trimmed(help))\n```\n\n"
        for inner in configuration.subcommands { text += section(inner, under: name) }
        return text
    }

    /// Without the heading of options of a command that has none, and without empty lines at the end.
    private static func trimmed(_ help: String) -> String {
        var lines = help.split(separator: "\n", omittingEmptySubsequences: false)
        while let last = lines.last, last.isEmpty || last == "OPTIONS:" { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
