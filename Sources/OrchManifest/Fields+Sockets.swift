// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The keys of `sockets`.
extension Fields {
    static let address = FieldForm.matching("^(tcp://.+:[0-9]{1,5}|@.+|[^:@]*/.*[^/])$")

    static let socketEntry = FieldTable(
        "a socket",
        [
            Field("name", .text, default: SocketSpec.standardName, "What it is called in LISTEN_FDNAMES."),
            Field("listen", address, "tcp://ADDRESS:PORT, a path, or @NAME for a unix socket without a file."),
            Field(
                "mode", .text, default: "0600",
                "Of a unix socket's file, in octal; the file belongs to the service's user. Who may write to it may connect."
            ),
        ])
}
