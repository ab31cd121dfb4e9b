// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchCLI

/// `orch`: the words of the command line, on Linux.
@main
struct Main {
    static func main() {
        // A reader that goes away (`orch logs | head`) is an answer of write(2), not the end of this program.
        _ = signal(SIGPIPE, SIG_IGN)
        let platform = LinuxPlatform()
        exit(runOrch(Array(CommandLine.arguments.dropFirst()), on: platform).rawValue)
    }
}
