// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// The user that a process runs as, looked up before it exists: between clone and exec nobody can ask the user database.
struct Account: Equatable {
    var name: String
    var uid: UInt32
    var gid: UInt32
    /// Supplementary groups, `getgrouplist(3)`.
    var groups: [UInt32]
    var home: String
    var shell: String

    /// Whether credentials must be changed at all.
    var isOwn: Bool { uid == getuid() && gid == getgid() }

    /// Looks up `name`, `name:group` or numbers, and sees whether this process may become it.
    static func resolve(_ text: String, adding more: [String] = []) throws(Fault) -> Account {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard let name = parts.first, var account = lookUp(name) else {
            throw Fault(step: "run as", subject: text, reason: "no such user", remedy: "create it, or correct `user`")
        }
        if parts.count > 1 {
            guard let gid = group(parts[1]) else {
                throw Fault(
                    step: "run as", subject: text, reason: "no such group \(parts[1])",
                    remedy: "create it, or correct `user`")
            }
            account.gid = gid
        }
        account.groups = groupList(account.name, account.gid)
        try account.add(more)
        guard getuid() == 0 || account.isOwn else {
            throw Fault(
                step: "run as", subject: text,
                reason: "only root may change the user, and this daemon runs as \(nameOf(getuid()))",
                remedy: "leave `user` out, or apply the stack as root")
        }
        return account
    }

    /// Whom a process runs as, by `user` and `group_add`; nil for the daemon's own user as it is.
    static func of(_ user: String?, _ process: ProcessSpec) throws(Fault) -> Account? {
        if user == nil, process.groupAdd.isEmpty { return nil }
        return try resolve(user ?? "\(getuid()):\(getgid())", adding: process.groupAdd)
    }

    private mutating func add(_ names: [String]) throws(Fault) {
        for name in names {
            guard let gid = Self.group(name) else {
                throw Fault(
                    step: "join the group", subject: name, reason: "no such group",
                    remedy: "create it (groupadd), or correct `group_add`")
            }
            if !groups.contains(gid) { groups.append(gid) }
        }
        guard names.isEmpty || getuid() == 0 else {
            throw Fault(
                step: "join the group", subject: names[0],
                reason: "only root may add groups, and this daemon runs as \(Self.nameOf(getuid()))",
                remedy: "leave `group_add` out, or apply the stack as root")
        }
    }

    /// The name of a user id; the number when it has none.
    static func nameOf(_ uid: UInt32) -> String {
        record(.uid(uid))?.name ?? "\(uid)"
    }

    private static func lookUp(_ name: String) -> Account? {
        if let found = record(.name(name)) { return found }
        guard let uid = UInt32(name) else { return nil }
        return record(.uid(uid))
            ?? Account(name: name, uid: uid, gid: uid, groups: [], home: "/", shell: "/bin/sh")
    }

    private enum Key {
        case name(String)
        case uid(UInt32)
    }

    private static func record(_ key: Key) -> Account? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16384)
        let size = buffer.count
        return unsafe buffer.withUnsafeMutableBufferPointer { space in
            guard let start = space.baseAddress else { return nil }
            switch key {
            case .name(let name): _ = unsafe getpwnam_r(name, &entry, start, size, &found)
            case .uid(let uid): _ = unsafe getpwuid_r(uid, &entry, start, size, &found)
            }
            guard unsafe found != nil else { return nil }
            return unsafe Account(
                name: String(cString: entry.pw_name), uid: entry.pw_uid, gid: entry.pw_gid, groups: [],
                home: String(cString: entry.pw_dir),
                shell: String(cString: entry.pw_shell))
        }
    }

    private static func group(_ name: String) -> UInt32? {
        var entry = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        var buffer = [CChar](repeating: 0, count: 65536)
        let size = buffer.count
        let gid: UInt32? = unsafe buffer.withUnsafeMutableBufferPointer { space in
            guard let start = space.baseAddress, unsafe getgrnam_r(name, &entry, start, size, &found) == 0,
                unsafe found != nil
            else { return nil }
            return unsafe entry.gr_gid
        }
        return gid ?? UInt32(name)
    }

    private static func groupList(_ name: String, _ gid: UInt32) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: 1024)
        var count = Int32(groups.count)
        guard unsafe getgrouplist(name, gid, &groups, &count) >= 0 else { return [gid] }
        return Array(groups[..<Int(count)])
    }
}
