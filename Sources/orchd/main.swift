// SPDX-License-Identifier: Apache-2.0
internal import Glibc

private let arguments = Array(CommandLine.arguments.dropFirst())

exit(Introduction.made(arguments) ?? Daemon.run(arguments))
