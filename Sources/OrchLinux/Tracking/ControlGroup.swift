// SPDX-License-Identifier: Apache-2.0
internal import COrch
internal import Glibc
internal import OrchModel

/// The control group of one launch (cgroups(7), version 2): whatever the service forks, in any session, stays in it.
struct ControlGroup {
    /// Its directory, absolute.
    let path: String

    /// Something in it or below it is alive. A zombie is not (seen on 6.18: an unreaped leader leaves `populated 0`).
    var isPopulated: Bool {
        guard let bytes = try? SmallFile.read("\(path)/cgroup.events", limit: 256) else { return false }
        return bytes.split(separator: 10).contains { $0.elementsEqual("populated 1".utf8) }
    }

    /// Its processes and those of groups that the service made below it.
    func members() -> [ProcessEntry] {
        folders().flatMap { folder in
            (SmallFile.text("\(folder)/cgroup.procs") ?? "").split(separator: "\n").compactMap { line in
                Int32(line).flatMap { $0 > 0 ? ProcessTable.entry(of: $0) : nil }
            }
        }
    }

    /// Sends to each member through a pidfd, after seeing that it is still in this group.
    func send(_ signal: Signal) {
        let name = "/" + path.split(separator: "/").suffix(2).joined(separator: "/")
        for member in members() where (SmallFile.text("/proc/\(member.pid)/cgroup") ?? "").contains(name) {
            member.identity.send(signal)
        }
    }

    /// SIGKILL to everything, now and at once: `cgroup.kill` (5.14); one by one where the kernel is older.
    func kill() {
        do { try SmallFile.poke("1", into: "\(path)/cgroup.kill") } catch { send(.kill) }
    }

    /// Bytes charged to it; nil without the memory controller.
    var memoryBytes: Int64? {
        SmallFile.text("\(path)/memory.current", limit: 64).flatMap { Int64($0.prefix { $0 != "\n" }) }
    }

    /// Removes the directory and what is below it. Fails quietly while something is alive in it.
    func remove() {
        if unsafe rmdir(path) == 0 { return }
        for folder in folders().reversed() { _ = unsafe rmdir(folder) }
    }

    /// The directory for `CLONE_INTO_CGROUP` (clone(2), 5.7).
    func open() throws(SystemError) -> Descriptor { try SmallFile.open(path, corch_O_PATH | O_DIRECTORY) }

    /// Itself first, then what is below.
    func folders() -> [String] {
        var found = [path]
        var next = 0
        while next < found.count {
            let folder = found[next]
            next += 1
            guard Self.hasFolders(folder) else { continue }
            for name in SmallFile.names(in: folder) where unsafe access("\(folder)/\(name)/cgroup.procs", F_OK) == 0 {
                found.append("\(folder)/\(name)")
            }
        }
        return found
    }

    /// A directory has two links and one for each directory below it; kernfs keeps that count.
    private static func hasFolders(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_nlink > 2
    }
}
