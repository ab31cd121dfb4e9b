// SPDX-License-Identifier: Apache-2.0

/// What the keeper starts the daemon with. For programs, not for people: `orch daemon start` is theirs.
struct DaemonArguments {
    /// What outlives a boot; absolute.
    var state = ""
    /// What dies with one; absolute.
    var run = ""
    var keeper: Int32 = -1
    /// The control socket, listening.
    var listener: Int32 = -1
    /// Holds the state directory's lock; nil when the keeper is of a version that does not lend it.
    var lock: Int32?
    /// The notify socket, bound; nil when the keeper has none.
    var notify: Int32?
    /// The keeper's own file; nil when it is of a version that does not lend it.
    var keeperProgram: Int32?
    /// An upgrade failed at the keeper: this is the program that served before.
    var isGivenUp = false
    /// The program that was to be started could not begin: this is the one that served before.
    var isFallback = false
    /// Where one line says that the daemon serves, or why not; nil for all but the first daemon of a keeper.
    var ready: Int32?

    /// Why the arguments make no sense.
    struct Mistake: Error { var text: String }

    /// `--state DIR --run DIR`, or `--home DIR` for both; `--keeper-fd N --listen-fd N [--lock-fd N] [--notify-fd N] [--ready-fd N]
    /// [--keeper-program-fd N] [--fallback] [--given-up]`.
    init(_ arguments: [String]) throws(Mistake) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--fallback" {
                isFallback = true
                continue
            }
            if option == "--given-up" {
                isGivenUp = true
                continue
            }
            guard let value = rest.popFirst() else { throw Mistake(text: "\(option) needs a value") }
            switch option {
            case "--home":
                state = "\(value)/state"
                run = "\(value)/run"
            case "--state": state = value
            case "--run": run = value
            case "--keeper-fd": keeper = try Self.descriptor(value, of: option)
            case "--listen-fd": listener = try Self.descriptor(value, of: option)
            case "--lock-fd": lock = try Self.descriptor(value, of: option)
            case "--notify-fd": notify = try Self.descriptor(value, of: option)
            case "--keeper-program-fd": keeperProgram = try Self.descriptor(value, of: option)
            case "--ready-fd": ready = try Self.descriptor(value, of: option)
            default: throw Mistake(text: "unknown option \(option)")
            }
        }
        guard state.hasPrefix("/"), run.hasPrefix("/") else {
            throw Mistake(text: "--state and --run must be absolute paths")
        }
        guard keeper >= 0, listener >= 0 else {
            throw Mistake(text: "--keeper-fd and --listen-fd are missing: orch-keeper starts this program")
        }
    }

    private static func descriptor(_ text: String, of option: String) throws(Mistake) -> Int32 {
        guard let number = Int32(text), number > 2 else {
            throw Mistake(text: "\(option) needs a descriptor's number above 2")
        }
        return number
    }
}
