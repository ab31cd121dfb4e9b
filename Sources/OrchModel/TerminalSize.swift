// SPDX-License-Identifier: Apache-2.0

/// Of a terminal, in characters: 1 and up.
public struct TerminalSize: Equatable, Sendable {
    public var columns: Int
    public var rows: Int
    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}
