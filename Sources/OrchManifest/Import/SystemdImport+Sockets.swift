// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// The sockets that a unit gets, and how much it may use.
extension SystemdImport {
    /// The units of sockets that are a service's: by their word or by its own, else by their name.
    func sockets(of unit: Unit) -> [DraftEntry] {
        let named = Set(
            unit.values("Sockets", in: "Service").flatMap { $0.value.split(separator: " ").map(String.init) })
        var items: [DraftEntry] = []
        var notes: [ImportNote] = []
        for socket in socketUnits {
            let service = socket.last("Service", in: "Socket")?.value
            guard named.contains(socket.file) || service == unit.file || (service == nil && socket.base == unit.base)
            else { continue }
            items += self.sockets(in: socket, of: unit, &notes)
        }
        Self.setApart(&items)
        guard let first = items.first else { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("sockets", .list(items), at: first.origin, notes: notes)]
    }

    /// No two have a name here: those behind the first get a number.
    private static func setApart(_ items: inout [DraftEntry]) {
        var seen: [String: Int] = [:]
        for index in items.indices {
            let name = items[index].children.first { $0.key == "name" }?.text ?? SocketSpec.standardName
            seen[name, default: 0] += 1
            guard let count = seen[name], count > 1 else { continue }
            var terms = items[index].children.filter { $0.key != "name" }
            if terms.isEmpty, case .value(let place) = items[index].content { terms = [DraftEntry("listen", place)] }
            terms.insert(DraftEntry("name", .value(.string("\(name)-\(count)"))), at: 0)
            items[index].content = .map(terms)
            items[index].remarks = ["Its name was \(name) too; no two have one here."]
        }
    }

    /// Whether some service takes what a unit of sockets opens.
    func isTaken(_ socket: Unit) -> Bool {
        let service = socket.last("Service", in: "Socket")?.value
        return units.contains { unit in
            unit.values("Sockets", in: "Service").contains {
                $0.value.split(separator: " ").contains { $0 == socket.file }
            }
                || service == unit.file || (service == nil && socket.base == unit.base)
        }
    }

    private func sockets(in socket: Unit, of unit: Unit, _ notes: inout [ImportNote]) -> [DraftEntry] {
        let accepts = socket.last("Accept", in: "Socket")
        if let accepts, ["yes", "true", "on", "1"].contains(accepts.value.lowercased()) {
            notes.append(
                importer.lost(
                    socket.file, at: accepts.position, because: "it starts a process for each connection",
                    instead: "let the program accept by itself, then write sockets"))
            return []
        }
        let name = socket.last("FileDescriptorName", in: "Socket")?.value ?? socket.file
        let mode = socket.last("SocketMode", in: "Socket")?.value ?? "0666"
        var items: [DraftEntry] = []
        for section in socket.sections where section.name == "Socket" {
            for entry in section.entries {
                switch entry.key {
                case "ListenStream":
                    if entry.value.isEmpty {
                        items = []
                    } else if let item = self.socket(entry, name, mode, of: socket, &notes) {
                        items.append(item)
                    }
                case "FileDescriptorName", "SocketMode", "Service", "Accept", "RemoveOnStop": break
                case "SocketUser" where entry.value == unit.last("User")?.value: break
                default:
                    notes.append(
                        importer.lost(
                            entry.key, at: entry.position,
                            because: entry.key.hasPrefix("Listen")
                                ? "sockets are for streams here" : "orch has nothing like it for sockets"))
                }
            }
        }
        return items
    }

    private func socket(
        _ entry: ConfigSection.Entry, _ name: String, _ mode: String, of socket: Unit, _ notes: inout [ImportNote]
    ) -> DraftEntry? {
        let text = text(entry.value, of: socket, at: entry.position, notes: &notes)
        let isNumber = Int(text) != nil
        // A number alone listens on all addresses, of both kinds.
        let place =
            text.hasPrefix("/") || text.hasPrefix("@") ? text : isNumber ? "tcp://[::]:\(text)" : "tcp://\(text)"
        guard SocketSpec.Address(text: place) != nil else {
            notes.append(
                importer.lost(
                    "\(entry.key)=\(entry.value)", at: entry.position, because: "it is no address of a stream",
                    instead: "write sockets: [\"tcp://ADDRESS:PORT\"]"))
            return nil
        }
        var terms: [DraftEntry] = []
        if name != SocketSpec.standardName { terms.append(DraftEntry("name", .value(.string(name)))) }
        terms.append(DraftEntry("listen", .value(.string(place)), at: entry.position))
        let digits = mode.drop { $0 == "0" }
        if place.hasPrefix("/"), digits != "600" { terms.append(DraftEntry("mode", .value(.string("0" + digits)))) }
        if terms.count == 1 { return DraftEntry(item: .string(place), at: entry.position) }
        return DraftEntry("", .map(terms), at: entry.position)
    }

    // MARK: Limits of the tree

    static let limited = ["MemoryMax": "memory", "MemoryLimit": "memory", "CPUQuota": "cpus", "TasksMax": "pids"]

    func resources(_ unit: Unit) -> [DraftEntry] {
        var terms: [DraftEntry] = []
        var notes: [ImportNote] = []
        for (key, name) in Self.limited.sorted(by: { $0.key < $1.key }) {
            guard let entry = unit.last(key), entry.value != "infinity" else { continue }
            let value: Value?
            switch name {
            case "memory": value = entry.value.hasSuffix("%") ? nil : .string(SizeUnit.docker(entry.value))
            case "cpus":
                value = entry.value.hasSuffix("%") ? Double(entry.value.dropLast()).map { .double($0 / 100) } : nil
            default: value = Int64(entry.value).map { .int($0) }
            }
            if let value {
                terms.removeAll { $0.key == name }
                terms.append(DraftEntry(name, value, at: entry.position))
            } else {
                notes.append(
                    importer.lost(
                        key, at: entry.position, because: "\(entry.value) depends on the machine",
                        instead: "write resources: { memory: 512MB, cpus: 0.5, pids: 100 }"))
            }
        }
        guard let first = terms.first else { return notes.isEmpty ? [] : [.notes(notes)] }
        return [DraftEntry("resources", .map(terms), at: first.origin, notes: notes)]
    }
}
