// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel

struct CompletionCommand: OrchCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
        /// The services that are applied, a line each: what the scripts ask for.
        case names
    }
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print a completion script for a shell.",
        discussion: """
            bash: orch completion bash > /etc/bash_completion.d/orch
            zsh:  orch completion zsh > "${fpath[1]}/_orch"
            fish: orch completion fish > ~/.config/fish/completions/orch.fish
            """)

    @Argument(help: ArgumentHelp("bash, zsh or fish.", valueName: "shell"), completion: .list(["bash", "zsh", "fish"]))
    var shell: Shell

    func run(in context: Context) throws(Failure) -> ExitCode {
        switch shell {
        case .bash: try context.console.write(Orch.completionScript(for: .bash) + "\n")
        case .zsh: try context.console.write(Orch.completionScript(for: .zsh) + "\n")
        case .fish: try context.console.write(Orch.completionScript(for: .fish) + "\n")
        case .names: try context.console.write(try names(in: context).map { $0 + "\n" }.joined())
        }
        return .success
    }

    /// The services of the default stack bare, all with their stack.
    private func names(in context: Context) throws(Failure) -> [String] {
        let stacks =
            try Session.open(context.platform).map { (session) throws(Failure) in try context.stacks(from: session) }
            ?? []
        let stored = stacks.isEmpty ? StoredStatus(platform: context.platform).stacks() : stacks
        // No default stack: then only the long names mean something.
        let home = try? TargetChoice(stacks: stored, platform: context.platform).stack(nil)
        var result: [String] = []
        for stack in stored {
            for instance in stack.instances where instance.id.replica == 1 {
                let service = instance.id.service.service
                if stack.name == home?.name { result.append(service) }
                result.append("\(stack.name)/\(service)")
            }
        }
        return result
    }
}
