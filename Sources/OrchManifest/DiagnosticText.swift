// SPDX-License-Identifier: Apache-2.0
public import OrchModel

/// Diagnostics as people read them.
public struct DiagnosticText {
    /// `FILE:LINE:COL: error[CODE]: message`, the source line, a caret under what is meant, and `help: …`; lines end with a newline.
    /// Control characters of the source are shown as `?`, tabs as one blank.
    public static func render(_ diagnostic: Diagnostic, color: Bool) -> String {
        let isError = diagnostic.severity == .error
        let tint = color ? (isError ? "\u{1B}[1;31m" : "\u{1B}[1;33m") : ""
        let bold = color ? "\u{1B}[1m" : ""
        let plain = color ? "\u{1B}[0m" : ""
        let place = diagnostic.position.map { "\(bold)\($0.text): \(plain)" } ?? ""
        var text =
            "\(place)\(tint)\(isError ? "error" : "warning")[\(diagnostic.code)]\(plain)\(bold): \(clean(diagnostic.message))\(plain)\n"
        if let position = diagnostic.position, let line = diagnostic.sourceLine {
            let number = String(position.line)
            let margin = String(repeating: " ", count: number.count)
            let (shown, start) = window(clean(line), around: position.column)
            let room = max(1, shown.unicodeScalars.count - start)
            text += " \(number) | \(shown)\n \(margin) | \(String(repeating: " ", count: start))"
            text += "\(tint)^\(String(repeating: "~", count: max(0, min(diagnostic.width, room) - 1)))\(plain)\n"
        }
        if let help = diagnostic.help { text += "  help: \(clean(help))\n" }
        return text
    }

    /// The part of a long line that holds the column, and how far into it the column is.
    private static func window(_ line: String, around column: Int) -> (String, Int) {
        let scalars = Array(line.unicodeScalars)
        let start = max(0, min(column - 1, scalars.count))
        guard scalars.count > 160 else { return (line, start) }
        let from = max(0, start - 60)
        var part = String.UnicodeScalarView()
        part.append(contentsOf: scalars[from..<min(scalars.count, from + 160)])
        return (String(part), start - from)
    }

    private static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\t" { result.append(" ") } else { result.append(isControl(scalar) ? "?" : scalar) }
        }
        return String(result)
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 32 || (127...159).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
            || (0x2066...0x2069).contains(scalar.value)
    }
}
