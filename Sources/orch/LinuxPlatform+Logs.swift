// SPDX-License-Identifier: Apache-2.0
internal import OrchCLI
internal import OrchLinux
internal import OrchModel
internal import OrchWire

extension LinuxPlatform {
    var logFiles: any LogFiles { LinuxLogFiles() }

    func pattern(_ expression: String) throws(Fault) -> LineFinder {
        let pattern = try RegularExpression(expression)
        return { line, start in pattern.firstMatch(in: line.span, from: start) }
    }
}
