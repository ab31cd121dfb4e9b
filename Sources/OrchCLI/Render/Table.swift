// SPDX-License-Identifier: Apache-2.0

/// Rows under headings, aligned by display width and narrowed to the terminal by cutting the columns that may be cut.
struct Table {
    struct Column {
        var heading: String
        var alignedRight = false
        /// How narrow it may get; nil keeps its full width.
        var minimum: Int?
        /// Left out first when the terminal is too narrow, the highest number first; 0 always stays.
        var dispensability = 0
    }
    struct Row {
        var cells: [Line]
        /// Lines under the row, indented.
        var notes: [Line] = []
    }
    var columns: [Column]
    var rows: [Row] = []
    private let gap = 2

    init(_ columns: [Column]) { self.columns = columns }

    /// The heading and the rows. Columns in which no row says anything are left out. Nil `width`: as wide as it gets.
    func lines(width limit: Int?, indent: Int = 0) -> [Line] {
        var shown = columns.indices.filter { column in rows.contains { !$0.cells[column].isEmpty } }
        var widths = columns.indices.map { column in
            rows.reduce(DisplayWidth.of(columns[column].heading)) { max($0, $1.cells[column].width) }
        }
        if let limit { narrow(&widths, &shown, to: limit - indent) }
        let margin = Line(String(repeating: " ", count: indent))
        let heading = shown.map { Line(columns[$0].heading, .faint) }
        var result = [margin + row(heading, shown, widths)]
        for entry in rows {
            result.append((margin + row(shown.map { entry.cells[$0] }, shown, widths)).fitted(to: limit))
            for note in entry.notes { result.append((margin + "  " + note).fitted(to: limit)) }
        }
        return result
    }

    private func row(_ cells: [Line], _ shown: [Int], _ widths: [Int]) -> Line {
        var line = Line()
        for (position, cell) in cells.enumerated() {
            let column = shown[position]
            if position > 0 { line += Line(String(repeating: " ", count: gap)) }
            line += cell.fitted(to: widths[column]).padded(
                to: widths[column], alignedRight: columns[column].alignedRight)
        }
        return line
    }

    /// First cuts what may be cut, then leaves out what may be left out.
    private func narrow(_ widths: inout [Int], _ shown: inout [Int], to limit: Int) {
        while true {
            let total = shown.reduce(0) { $0 + widths[$1] } + gap * max(0, shown.count - 1)
            let excess = total - limit
            guard excess > 0 else { return }
            let cuttable = shown.filter { widths[$0] > columns[$0].minimum ?? .max }
            if let widest = cuttable.max(by: { widths[$0] < widths[$1] }), let minimum = columns[widest].minimum {
                widths[widest] = max(minimum, widths[widest] - excess)
                continue
            }
            let last = shown.filter { columns[$0].dispensability > 0 }
                .max { columns[$0].dispensability < columns[$1].dispensability }
            guard let last else { return }
            shown.removeAll { $0 == last }
        }
    }
}
