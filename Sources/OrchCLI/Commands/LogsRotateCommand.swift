// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel
internal import OrchWire

struct LogsRotateCommand: OrchCommand {
    /// How it begins on a command line.
    static let words = ["logs", "rotate"]
    static let configuration = CommandConfiguration(
        commandName: "rotate", _superCommandName: "orch logs", abstract: "Begin new log files now; services run on.",
        discussion: """
            Each active file is rotated at the end of the line that is being written, and the answer says which files were made. Empty \
            files are left alone; files that are appended to are not orch's to rotate. A service called `rotate` is `STACK/rotate` to \
            `orch logs`.
            """)

    @Argument(
        help: "The services; default: all of the stack of the manifest here, else of the only one.",
        completion: ServiceCompletion.kind)
    var services: [String] = []
    @Flag(help: "Print {\"files\":[…]}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let session = try context.runningDaemon()
        let stacks = try context.stacks(from: session)
        let targets = try TargetChoice(stacks: stacks, platform: context.platform).targets(services)
        guard case .rotated(let files) = try session.ask(.rotateLogs(targets)) else { throw Failure.unexpectedReply }
        if json {
            try context.console.write(JSON.bytes(of: ["files": .array(files.map(\.value))]) + [10])
        } else {
            try context.console.print(LogRotationView(files: files, stacks: stacks).lines(width: context.console.width))
        }
        return files.contains { $0.outcome.isFailure } ? .failed : .success
    }
}

extension LogRotation.Outcome {
    fileprivate var isFailure: Bool {
        switch self {
        case .failed: true
        case .rotated, .forgotten, .empty, .shared, .unfinished: false
        }
    }
}
