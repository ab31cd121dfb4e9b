// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchCLI
internal import OrchLinux
internal import OrchModel
internal import OrchSimulator

/// The machine that this program runs on.
final class LinuxPlatform: Platform {
    let environment: [EnvironmentEntry]
    let workingDirectory: String
    let paths: HomePaths
    /// Open connections and their sockets, in the order of their opening.
    var sockets: [(connection: ConnectionID, descriptor: Int32)] = []
    var lastConnection = 0
    /// A signalfd(2) once interrupts are caught.
    var signals: Int32?
    /// Typed for a service whose daemon was gone by then.
    var unsent: [UInt8] = []
    /// How the terminal was before keys were caught.
    var terminalBefore: termios?

    init() {
        environment = Self.readEnvironment()
        workingDirectory = Self.readWorkingDirectory()
        paths = HomePaths(environment: environment, user: geteuid(), workingDirectory: workingDirectory)
    }

    var now: Moment {
        Moment(
            instant: Instant(nanoseconds: corch_clock(CLOCK_MONOTONIC)),
            wall: WallTime(nanoseconds: corch_clock(CLOCK_REALTIME)))
    }

    func localOffset(at time: WallTime) -> Duration {
        let seconds = time_t(time.nanoseconds / 1_000_000_000)
        var local = unsafe tm()
        guard unsafe localtime_r([seconds], &local) != nil else { return .zero }
        return .seconds(unsafe local.tm_gmtoff)
    }

    var stateDirectory: String { paths.state }
    var runDirectory: String { paths.run }
    private(set) lazy var examiner: any HostExaminer = LinuxExaminer(state: paths.state, run: paths.run)
    var orphanCount: Int { Orphans.count(run: paths.run) }

    func play(_ rehearsal: Rehearsal) -> RehearsalScore { rehearsal.play() }

    func isKnownUser(_ name: String) -> Bool { Accounts.isKnown(name) }
    func isKnownTimeZone(_ name: String) -> Bool { ZoneFile.isKnown(name) }

    var fileLimit: UInt64? {
        var limits = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return nil }
        return UInt64(limits.rlim_cur)
    }

    private static func readEnvironment() -> [EnvironmentEntry] {
        var result: [EnvironmentEntry] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result.append(EnvironmentEntry(String(text[..<equals]), String(text[text.index(after: equals)...])))
            }
            unsafe next += 1
        }
        return result
    }

    private static func readWorkingDirectory() -> String {
        // SAFETY: with a null buffer glibc allocates one (getcwd(3)), which is freed here.
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }
}

/// The user database (getpwnam_r(3)).
enum Accounts {
    /// True also when the database can't be asked: then the daemon finds out.
    static func isKnown(_ name: String) -> Bool {
        if let number = UInt32(name) { return number != UInt32.max }
        var failed = false
        let found = unsafe entry { (record, buffer, length, result) in
            let code = unsafe getpwnam_r(name, record, buffer, length, result)
            failed = code != 0 && code != ENOENT
            return code
        }
        return found != nil || failed
    }

    private typealias Query = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func entry(_ query: Query) -> String? {
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        var record = unsafe passwd()
        var result: UnsafeMutablePointer<passwd>?
        // SAFETY: the record points into the buffer; its name is copied before either goes.
        return unsafe buffer.withUnsafeMutableBufferPointer { bytes -> String? in
            guard let base = bytes.baseAddress, unsafe query(&record, base, bytes.count, &result) == 0,
                unsafe result != nil,
                let name = unsafe record.pw_name
            else { return nil }
            return unsafe String(cString: name)
        }
    }
}
