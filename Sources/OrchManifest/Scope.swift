// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// How the dollars of a text are read.
enum TextMode {
    /// Everything is known now: a variable of the launch is an error.
    case now
    /// A `LaunchTemplate`: `PORT` and `ORCH_…` stay.
    case launch
    /// A shell will read it: nothing is touched.
    case shell
}

/// One source of variables.
struct Layer {
    enum State {
        /// A scalar that is not interpolated yet.
        case pending(NodeID)
        /// In the form of a `LaunchTemplate`.
        case known(String)
        case unset
        /// The secret of this name.
        case secret(String)
        /// Its error has been said.
        case broken
        /// It is being interpolated: meeting it again is a loop.
        case open(NodeID)
    }
    /// Where a definition stands: the index of its source, and line and column from 1.
    struct Place {
        var source: Int32
        var line: Int32
        var column: Int32
    }
    struct Definition {
        var name: String
        var state: State
        var place: Place?
    }
    private(set) var definitions: [Definition] = []
    /// What it is to whoever asks where a value comes from: `environment`.
    var title = ""
    private var index: [String: Int] = [:]
    var isEmpty: Bool { definitions.isEmpty }

    func find(_ name: String) -> Int? {
        if !index.isEmpty { return index[name] }
        return definitions.firstIndex { $0.name == name }
    }

    /// A later definition of the same name replaces the earlier one.
    mutating func define(_ name: String, _ state: State, at place: Place? = nil) {
        if let at = find(name) {
            definitions[at].state = state
            definitions[at].place = place
            return
        }
        definitions.append(Definition(name: name, state: state, place: place))
        if index.isEmpty, definitions.count > 12 {
            for (at, definition) in definitions.enumerated() { index[definition.name] = at }
        } else if !index.isEmpty {
            index[name] = definitions.count - 1
        }
    }

    /// All of these, and of the weaker ones what these do not have.
    func over(_ weaker: Layer) -> Layer {
        var result = weaker
        for definition in definitions { result.define(definition.name, definition.state, at: definition.place) }
        return result
    }

    subscript(at: Int) -> State {
        get { definitions[at].state }
        set { definitions[at].state = newValue }
    }
}

/// Where names get their values, strongest first; what no layer knows is asked of the parent, at last of the caller.
final class Scope {
    var layers: [Layer] = []
    let parent: Scope?
    private let caller: [String: String]
    /// Names of the caller's that were asked for.
    private(set) var asked: Set<String> = []
    /// Whether PORT will be there at launch.
    var hasPort = false

    /// The outermost scope.
    init(caller entries: [EnvironmentEntry]) {
        parent = nil
        var caller: [String: String] = [:]
        caller.reserveCapacity(entries.count)
        for entry in entries where caller[entry.name] == nil { caller[entry.name] = entry.text }
        self.caller = caller
    }

    init(parent: Scope) {
        self.parent = parent
        caller = [:]
    }

    func callerValue(_ name: String) -> String? {
        asked.insert(name)
        return caller[name]
    }
}

/// What a name stands for.
enum Lookup: Equatable {
    /// In the form of a `LaunchTemplate`.
    case value(String)
    case undefined
    case launch
    /// Its error has been said.
    case broken
}
