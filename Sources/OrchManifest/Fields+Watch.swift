// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The keys of `watch`.
extension Fields {
    static let watchRule = FieldTable(
        "watch",
        [
            Field("path", .text, "A file, or a folder with all below it."),
            Field(
                "include", .list(.text), default: "[\"*\"]",
                "Names that count: patterns as the shell's; with a slash, paths below the folder, where * stands for slashes too."
            ),
            Field(
                "ignore", .list(.text), default: "[]",
                "Names that don't, files and folders, beside those that nobody means (.git, node_modules, __pycache__, editors' own, …)."
            ),
            Field(
                "debounce", .duration, default: "2s",
                "So long nothing more must change before anything is done; ten times that at most."),
            Field(
                "action", .either([.word(["restart", "reload"]), .object(watchAction)]), default: "restart",
                "What a change does; reload needs the service's own."),
            Field(
                "cascade", .boolean, default: "false", "A restart goes on to the services that need this one."),
        ])

    static let watchAction = FieldTable(
        "action",
        [
            Field("signal", .either([.text, .integer(1...64)]), "A signal for the main process."),
            Field(
                "command", .either([.text, .list(.text)]),
                "A command that is run in its surroundings; it may take 5 minutes."),
            Field("shell", .list(.text), default: "the service's", "What reads the command when it is a string."),
        ])
}
