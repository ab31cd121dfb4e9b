// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchManifest
internal import OrchModel
internal import OrchWire

struct ValidateCommand: OrchCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check a manifest: all its mistakes at once.",
        discussion: "Exits 0 when it is right, warnings or not, and 3 when it is wrong.")

    @OptionGroup var manifest: ManifestOptions
    @Flag(help: "Print {\"valid\",\"stack\",\"services\",\"diagnostics\":[…]}.")
    var json = false

    func run(in context: Context) throws(Failure) -> ExitCode {
        let name = try manifest.paths(context.platform).joined(separator: ", ")
        switch try manifest.result(in: context) {
        case .success(let loaded):
            let stack = loaded.request.stack
            if json {
                try print(loaded.warnings, stack: stack, in: context)
            } else {
                ManifestOptions.print(loaded.warnings, in: context)
                let warnings = loaded.warnings.isEmpty ? "" : ", \(CountText.of(loaded.warnings.count, "warning"))"
                let services = CountText.of(stack.services.count, "service")
                try context.console.print(
                    Line("\(name): ") + Line("ok", .good) + Line(", stack \(stack.name) with \(services)\(warnings)"))
            }
            return .success
        case .failure(let errors):
            if json {
                try print(errors.diagnostics, stack: nil, in: context)
                return .manifest
            }
            ManifestOptions.print(errors.diagnostics, in: context)
            let count = errors.diagnostics.count { $0.severity == .error }
            throw Failure(.manifest, "\(name): \(CountText.of(count, "error"))")
        }
    }

    private func print(_ diagnostics: [Diagnostic], stack: Stack?, in context: Context) throws(Failure) {
        let rows: [Value] = diagnostics.map { diagnostic in
            var w = ObjectWriter()
            w.set("severity", diagnostic.severity.rawValue)
            w.set("code", diagnostic.code)
            w.set("message", diagnostic.message)
            w.set("file", .optional(diagnostic.position?.file))
            w.set("line", diagnostic.position.map { .int(Int64($0.line)) } ?? .null)
            w.set("column", diagnostic.position.map { .int(Int64($0.column)) } ?? .null)
            w.set("help", .optional(diagnostic.help))
            return w.value
        }
        let value: Value = [
            "valid": .bool(stack != nil), "stack": .optional(stack?.name),
            "services": stack.map { .int(Int64($0.services.count)) } ?? .null, "diagnostics": .array(rows),
        ]
        try context.console.write(JSON.bytes(of: value) + [10])
    }
}
