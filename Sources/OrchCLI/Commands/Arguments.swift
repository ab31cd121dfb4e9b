// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import OrchModel

/// A duration on the command line: `5m`, `1m30s`.
struct DurationArgument: ExpressibleByArgument {
    var span: Duration

    init(_ span: Duration) { self.span = span }
    init?(argument: String) {
        guard let span = Duration(text: argument) else { return nil }
        self.span = span
    }
    var defaultValueDescription: String { span.text }
}

/// A point in time on the command line: `10m` ago, or RFC 3339.
struct TimeArgument: ExpressibleByArgument {
    private enum Form {
        case ago(Duration)
        case at(WallTime)
    }
    private var form: Form

    init?(argument: String) {
        if let span = Duration(text: argument) {
            form = .ago(span)
        } else if let time = WallTime(rfc3339: argument) {
            form = .at(time)
        } else {
            return nil
        }
    }

    func time(at now: WallTime) -> WallTime {
        switch form {
        case .ago(let span): now + (.zero - span)
        case .at(let time): time
        }
    }
}

/// Words that name services, with completion.
struct ServiceArguments: ParsableArguments {
    @Argument(help: "The services: `web`, `web.2`, `stack/web`.", completion: ServiceCompletion.kind)
    var services: [String]
}

enum ServiceCompletion {
    /// Asks `orch` itself for the names.
    static let kind = CompletionKind.shellCommand("orch completion names 2>/dev/null")
}
