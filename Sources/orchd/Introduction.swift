// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchLinux
internal import OrchModel
internal import OrchStore
internal import OrchWire

/// What this program says of itself to whoever wants to upgrade to it, before anything is touched.
enum Introduction {
    /// `--version [--state DIR]`: one line; nil when something else was asked for. 1, and why on standard error, when it can't go on with
    /// the state in DIR.
    static func made(_ arguments: [String]) -> Int32? {
        guard arguments.first == "--version" else { return nil }
        if arguments.count == 3, arguments[1] == "--state" {
            do { try DiskStore.examine(arguments[2]) } catch {
                say(error.text, to: STDERR_FILENO)
                return 1
            }
        }
        say("orchd \(OrchVersion.text) protocol \(KeeperLink.protocolNumber)", to: STDOUT_FILENO)
        return 0
    }

    private static func say(_ text: String, to descriptor: Int32) {
        let bytes = Array("\(text)\n".utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
    }
}
