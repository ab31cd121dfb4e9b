// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What became of log files that were to be rotated, a row each.
struct LogRotationView {
    var files: [LogRotation]
    var stacks: [StackStatus]

    func lines(width: Int?) -> [Line] {
        guard !files.isEmpty else { return [Line("What is meant writes no log files.")] }
        let labels = [InstanceID: String](
            stacks.flatMap(\.instances).map { ($0.id, $0.label) }, uniquingKeysWith: { first, _ in first })
        var table = Table([
            Table.Column(heading: "SERVICE"), Table.Column(heading: "OUTPUT"),
            Table.Column(heading: "LOG", minimum: 20),
        ])
        table.rows = files.map { file in
            Table.Row(cells: [
                Line(labels[file.instance] ?? file.instance.name, .strong), Line(file.output.rawValue),
                Self.line(of: file),
            ])
        }
        return table.lines(width: width)
    }

    private static func line(of file: LogRotation) -> Line {
        switch file.outcome {
        case .rotated(let segment): Line("\(file.file) → \(LogLayout.split(segment).name)", .good)
        case .forgotten: Line("\(file.file) begun anew; its \"rotate\" keeps nothing of the old one", .caution)
        case .empty: Line("\(file.file) is empty, left alone", .faint)
        case .shared: Line("\(file.file) is appended to, which is not rotated", .faint)
        case .unfinished: Line("\(file.file) is rotated when the line that is being written ends", .caution)
        case .failed(let reason): Line("\(file.file) could not be rotated: \(reason)", .bad)
        }
    }
}
