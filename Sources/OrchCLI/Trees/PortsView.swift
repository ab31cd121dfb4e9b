// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Where services listen, as `orch ports` prints it: one line for each socket of each service.
struct PortsView {
    struct Row: Equatable {
        var listener: ListenerFacts
        var service: ServiceID
        /// As people call those that have it open.
        var labels: [String] = []
        var pids: [Int32] = []
        var isOpenedByOrch: Bool { listener.service == service }
    }
    private(set) var rows: [Row] = []

    /// By service, then by address.
    init(instances: [InstanceProcesses], listeners: [ListenerFacts]) {
        let services = Set(instances.map(\.id.service))
        for listener in listeners {
            var found: [Row] = []
            if let service = listener.service, services.contains(service) {
                found.append(Row(listener: listener, service: service))
            }
            for instance in instances {
                let pids = instance.members.map(\.pid).filter { listener.holders.contains($0) }
                guard !pids.isEmpty else { continue }
                let service = instance.id.service
                if !found.contains(where: { $0.service == service }) {
                    found.append(Row(listener: listener, service: service))
                }
                for place in found.indices where found[place].service == service {
                    found[place].labels.append(instance.label)
                    found[place].pids += pids
                }
            }
            rows += found
        }
        rows.sort { ($0.service, $0.listener.address) < ($1.service, $1.listener.address) }
    }

    func lines(width: Int?) -> [Line] {
        guard !rows.isEmpty else { return ["No service listens anywhere."] }
        var table = Table([
            Table.Column(heading: "SERVICE"), Table.Column(heading: "PROTOCOL", dispensability: 1),
            Table.Column(heading: "ADDRESS", minimum: 12), Table.Column(heading: "OPENED BY", dispensability: 2),
            Table.Column(heading: "PIDS", dispensability: 3),
        ])
        table.rows = rows.map { row in
            let pids = row.pids.map { "\($0)" }.joined(separator: " ")
            return Table.Row(cells: [
                Line("\(row.service)"), Line(row.listener.transport.rawValue), Line(row.listener.address),
                Line(row.isOpenedByOrch ? "orch" : "itself"), row.pids.isEmpty ? Line("none", .faint) : Line(pids),
            ])
        }
        return table.lines(width: width)
    }

    var value: Value {
        let listeners: [Value] = rows.map { row in
            [
                "protocol": .string(row.listener.transport.rawValue), "address": .string(row.listener.address),
                "stack": .string(row.service.stack), "service": .string(row.service.service),
                "instances": .strings(row.labels), "pids": .array(row.pids.map { .int(Int64($0)) }),
                "opened_by": row.isOpenedByOrch ? "orch" : "itself",
            ]
        }
        return ["listeners": .array(listeners)]
    }
}
