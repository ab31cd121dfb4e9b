// SPDX-License-Identifier: Apache-2.0

/// `8080`, `auto`, or `{name, port, protocol, host, on_conflict}`.
extension PortSpec: ValueCodable {
    public var value: Value {
        let number: Value = port == 0 ? "auto" : .int(Int64(port))
        if self == PortSpec(port: port) { return number }
        var w = ObjectWriter()
        w.set("name", name)
        w.set("port", number)
        w.set("protocol", transport.rawValue, unless: Transport.tcp.rawValue)
        w.set("host", host, unless: "any")
        w.set("on_conflict", onConflict.rawValue, unless: OnConflict.fail.rawValue)
        return w.value
    }
    public init(_ value: Value) throws(ShapeError) {
        let number = value["port"] ?? value
        if number == .string("auto") {
            self.init(port: 0)
        } else if let port = number.int, (0...65535).contains(port) {
            self.init(port: Int(port))
        } else {
            throw ShapeError(path: "port", expected: "a port or auto")
        }
        guard case .object = value else { return }
        let r = try ObjectReader(value)
        name = try r.optionalString("name")
        transport = try r.word("protocol", or: .tcp)
        host = try r.string("host", or: host)
        onConflict = try r.word("on_conflict", or: .fail)
    }
}
