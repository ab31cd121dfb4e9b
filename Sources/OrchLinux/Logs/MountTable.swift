// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// On which file system a path lies, told without a question to that file system, which may not answer: by the kernel's list of mounts
/// (`/proc/self/mountinfo`, proc_pid_mountinfo(5)), read again when it changed.
///
/// Symbolic links are followed where the daemon lives and on the root file system. One on any other file system is not looked at: what is
/// behind it counts as being there.
struct MountTable {
    /// As the kernel names it, `8:1`; all mounts of it have one.
    typealias Device = String
    private struct Spot {
        /// Without symbolic links, as far as they were followed.
        var path: String
        var device: Device
    }

    private let list: HeldDescriptor
    /// Where the daemon keeps its own files, with and without links.
    private let home: String
    private let realHome: String
    private(set) var homeDevice: Device = ""
    /// By mount point; of several mounts at one, the last.
    private var devices: [String: Device] = [:]
    /// Folders that were looked at: those of logs have few parents.
    private var spots: [String: Spot] = [:]
    private static let spotsAtMost = 4_096
    private static let linksAtMost = 16

    /// Nil where the kernel does not tell.
    init?(home: String) {
        guard let file = try? SmallFile.open("/proc/self/mountinfo", O_RDONLY) else { return nil }
        list = HeldDescriptor(file)
        self.home = home
        let real = unsafe realpath(home, nil)
        defer { unsafe free(real) }
        realHome = unsafe real.map { unsafe String(cString: $0) } ?? home
        guard read() else { return nil }
    }

    /// The file system that a file of that absolute path is on, or would be.
    mutating func device(of path: String) -> Device {
        if hasChanged { _ = read() }
        let (folder, name) = LogLayout.split(path)
        let spot = spot(of: folder)
        // A file may be a mount point, too.
        return devices[LogLayout.join(spot.path, name)] ?? spot.device
    }

    private mutating func spot(of folder: String, links: Int = 0) -> Spot {
        if let known = spots[folder] { return known }
        let (above, name) = LogLayout.split(folder)
        guard folder.hasPrefix("/"), folder != "/" else { return Spot(path: "/", device: devices["/"] ?? "") }
        let parent = spot(of: above, links: links)
        if name.isEmpty || name == "." { return parent }
        if name == ".." { return spot(of: LogLayout.split(parent.path).folder, links: links) }
        let path = LogLayout.join(parent.path, name)
        var found = Spot(path: path, device: devices[path] ?? parent.device)
        let mayAsk = devices[path] == nil && (parent.device == homeDevice || parent.device == devices["/"])
        if mayAsk, links < Self.linksAtMost, let target = SmallFile.link(path) {
            found = spot(of: target.hasPrefix("/") ? target : LogLayout.join(parent.path, target), links: links + 1)
        }
        if spots.count >= Self.spotsAtMost { forget() }
        spots[folder] = found
        return found
    }

    // MARK: The kernel's list

    private var hasChanged: Bool {
        var poll = pollfd(fd: list.number, events: Int16(POLLPRI), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) > 0
    }

    private mutating func read() -> Bool {
        guard lseek(list.number, 0, SEEK_SET) == 0,
            let bytes = try? SmallFile.read(from: list.number, limit: Limits.mountListBytes)
        else { return false }
        devices = Self.devices(in: bytes)
        homeDevice = Self.nearest(realHome, in: devices)
        forget()
        return !devices.isEmpty
    }

    private mutating func forget() {
        spots = [:]
        // Links above it need no look.
        for path in [home, realHome] { spots[path] = Spot(path: realHome, device: homeDevice) }
    }

    /// `36 35 98:0 /root /mount/point …`: the third word and the fifth.
    static func devices(in list: [UInt8]) -> [String: Device] {
        var found: [String: Device] = [:]
        for line in list.split(separator: 10) {
            let words = line.split(separator: 32, maxSplits: 5)
            guard words.count > 5 else { continue }
            found[String(decoding: plain(words[4]), as: UTF8.self)] = String(decoding: words[2], as: UTF8.self)
        }
        return found
    }

    /// Blanks, tabs, newlines and backslashes are written as `\040` and so on.
    static func plain(_ word: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = word
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            guard byte == 92, digits.count == 3, digits.allSatisfy({ $0 >= 48 && $0 < 56 }) else {
                bytes.append(byte)
                continue
            }
            bytes.append(digits.reduce(0) { $0 &* 8 &+ ($1 - 48) })
            rest = rest.dropFirst(3)
        }
        return bytes
    }

    private static func nearest(_ path: String, in devices: [String: Device]) -> Device {
        var at = path
        while at.count > 1 {
            if let device = devices[at] { return device }
            at = LogLayout.split(at).folder
        }
        return devices["/"] ?? ""
    }
}
