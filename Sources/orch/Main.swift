// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchCLI

/// `orch`: the words of the command line, on Linux.
@main
struct Main {
    static func main() {
        // A reader that goes away (`orch logs | head`) is an answer of write(2), not the end of this program.
        _ = signal(SIGPIPE, SIG_IGN)
        openStandardStreams()
        let platform = LinuxPlatform()
        exit(runOrch(Array(CommandLine.arguments.dropFirst()), on: platform).rawValue)
    }

    /// Whoever starts us with one closed (`>&-`) would have the daemon's socket take its number, and our words.
    private static func openStandardStreams() {
        var descriptor: Int32 = -1
        repeat { descriptor = unsafe open("/dev/null", O_RDWR) } while descriptor >= 0 && descriptor <= STDERR_FILENO
        if descriptor >= 0 { close(descriptor) }
    }
}
