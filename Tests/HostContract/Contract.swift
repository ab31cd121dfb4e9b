// SPDX-License-Identifier: Apache-2.0

/// One thing that the mind relies on, and every host must do.
public struct Case: Sendable, CustomStringConvertible {
    public let description: String
    private let body: @Sendable (Play) throws -> Void

    init(_ description: String, _ body: @escaping @Sendable (Play) throws -> Void) {
        self.description = description
        self.body = body
    }

    /// Throws a `Breach` when the host on this stage does not keep to it.
    public func play(on stage: any Stage) throws {
        let play = Play(stage)
        try body(play)
        try play.finish()
    }
}

/// What `Host` promises, as cases that each host is played through.
public enum Contract {
    public static let cases = launches + trees + questions + clocks + clients + successions
}
