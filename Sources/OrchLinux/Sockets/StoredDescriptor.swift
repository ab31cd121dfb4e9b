// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel
internal import OrchWire

/// A descriptor that an instance has handed over, for its next process. The keeper holds it, too, under a number of its own.
struct StoredDescriptor {
    let number: UInt64
    var instance: InstanceID
    let name: String
    let descriptor: HeldDescriptor
}

/// What is on record of them, as `SocketRecord` is.
extension StoredDescriptor {
    func save(in folder: String) throws(SystemError) {
        var w = ObjectWriter()
        w.set("stack", instance.service.stack)
        w.set("instance", instance.name)
        w.set("name", name)
        let path = "\(folder)/\(number)"
        let file = try SmallFile.open("\(path).new", O_WRONLY | O_CREAT | O_TRUNC)
        try SmallFile.write(Array(JSON.text(of: w.value).utf8), to: file.number)
        try Syscall.libc("rename") { unsafe rename("\(path).new", path) }
    }

    /// Nil for anything that `save` did not write.
    static func load(_ number: UInt64, _ descriptor: HeldDescriptor, from folder: String) -> StoredDescriptor? {
        guard let text = SmallFile.text("\(folder)/\(number)", limit: 4 << 10), let value = try? JSON.parse(text),
            let r = try? ObjectReader(value), let stack = try? r.string("stack"),
            let label = try? r.string("instance"), let instance = InstanceID(stack: stack, name: label),
            let name = try? r.string("name")
        else { return nil }
        return StoredDescriptor(number: number, instance: instance, name: name, descriptor: descriptor)
    }

    /// The same file, and for a socket the same socket: handing it over again adds nothing.
    func isSame(as other: HeldDescriptor) -> Bool {
        var (own, its) = (stat(), stat())
        guard unsafe fstat(descriptor.number, &own) == 0, unsafe fstat(other.number, &its) == 0 else { return false }
        return own.st_mode & S_IFMT == S_IFSOCK && own.st_dev == its.st_dev && own.st_ino == its.st_ino
    }
}
