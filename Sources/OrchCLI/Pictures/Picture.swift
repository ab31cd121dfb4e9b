// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Text as it stands in an SVG file (https://www.w3.org/TR/SVG11/), and what all of our pictures have in common.
enum Picture {
    /// `size` in pixels. The ground is left to the page; colours follow its light or dark.
    static func document(width: Int, height: Int, title: String, style: String = "", _ body: String) -> String {
        var tints = ""
        for tint in PictureColour.allCases { tints += ".\(tint.name){--c:\(tint.light)}" }
        var darks = ""
        for tint in PictureColour.allCases { darks += ".\(tint.name){--c:\(tint.dark)}" }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" role="img">
            <title>\(escaped(title))</title>
            <style>
            svg{color-scheme:light dark;--ink:#1f2328;--faint:#59636e;--line:#d1d9e0;--box:#f6f8fa;--c:#59636e;font:13px system-ui,sans-serif}
            \(tints)
            @media (prefers-color-scheme:dark){svg{--ink:#f0f6fc;--faint:#9198a1;--line:#3d444d;--box:#151b23;--c:#9198a1}\(darks)}
            text{fill:var(--ink)}.faint{fill:var(--faint);font-size:11px;paint-order:stroke;stroke:Canvas;stroke-width:3px}.tinted{fill:var(--c);font-size:11px}
            \(style)
            </style>
            \(body)</svg>

            """
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}

/// What a phase looks like in a picture, on light ground and on dark.
enum PictureColour: CaseIterable {
    case good, bad, caution, active

    init?(_ phase: Phase) {
        switch PhaseText.style(of: phase) {
        case .good: self = .good
        case .bad: self = .bad
        case .caution: self = .caution
        case .active: self = .active
        case .plain, .strong, .faint, .voice: return nil
        }
    }

    var name: String {
        switch self {
        case .good: "good"
        case .bad: "bad"
        case .caution: "caution"
        case .active: "active"
        }
    }
    var light: String {
        switch self {
        case .good: "#1a7f37"
        case .bad: "#cf222e"
        case .caution: "#9a6700"
        case .active: "#0969da"
        }
    }
    var dark: String {
        switch self {
        case .good: "#3fb950"
        case .bad: "#f85149"
        case .caution: "#d29922"
        case .active: "#58a6ff"
        }
    }
}
