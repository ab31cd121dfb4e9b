// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// What units wait for, when they run by themselves, and the sockets that they get.
extension SystemdExport {
    func needs(of spec: ServiceSpec, in unit: inout UnitWriter) {
        for need in spec.dependsOn {
            let path = "depends_on.\(need.on)"
            guard OutsideNeed(need.on) == nil else {
                exporter.change(path, of: spec.name, "ExecStartPre= asks for it every second, within TimeoutStartSec=")
                continue
            }
            guard let other = stack.service(need.on) else { continue }
            let names = units(of: other).joined(separator: " ")
            let isOptional = !need.required || need.condition == .completed || !other.enabled
            unit.add("After", raw: names)
            unit.add(isOptional ? "Wants" : "Requires", raw: names)
            if need.onRestart == .restart { unit.add("PartOf", raw: names) }
            if need.onRestart == .stop {
                exporter.lose(
                    "\(path).on_restart", of: spec.name, because: "a unit is restarted with the other one, or not",
                    instead: "write restart")
            }
            switch need.onFailure {
            case .ignore: break
            case .stop: unit.add("BindsTo", raw: names)
            case .restart:
                exporter.lose(
                    "\(path).on_failure", of: spec.name, because: "a unit is stopped with the other one, or not",
                    instead: "write stop")
            }
            if need.condition == .healthy {
                exporter.change("\(path).condition", of: spec.name, "it waits until \(other.name) is active")
            }
            if need.condition == .started,
                other.health.asked.readiness != nil || other.health.asked.startup != nil || other.ready == .notify
            {
                exporter.change(
                    "\(path).condition", of: spec.name, "it waits until \(other.name) is ready, not only started")
            }
            if !isOptional, other.kind == .service, need.onFailure != .stop {
                exporter.change(path, of: spec.name, "a stop of \(other.name) by hand stops it too (Requires=)")
            }
        }
        for socket in socketUnits(of: spec) {
            unit.add("After", raw: socket.file)
            unit.add("Requires", raw: socket.file)
        }
    }

    // MARK: Timers

    func timer(of spec: ServiceSpec, _ schedule: ScheduleSpec) -> ExportedStack.File {
        var unit = UnitWriter()
        unit.section("Unit")
        unit.add("PartOf", raw: "\(stack.name).target")
        unit.section("Timer")
        switch schedule.trigger {
        case .cron(let expression):
            let zone = schedule.timeZone == ScheduleSpec.hostZone ? "" : " \(schedule.timeZone)"
            for event in CalendarText.events(expression) { unit.add("OnCalendar", raw: event + zone) }
            if schedule.missed == .runOnce { unit.add("Persistent", raw: "true") }
        case .every(let span):
            unit.add("OnUnitActiveSec", raw: UnitWriter.span(span))
            unit.add("OnActiveSec", raw: UnitWriter.span(span))
            if schedule.missed == .runOnce {
                exporter.lose(
                    "schedule.missed", of: spec.name, because: "only what is due by the calendar can be made up for",
                    instead: "write cron")
            }
        }
        if schedule.jitter > .zero { unit.add("RandomizedDelaySec", raw: UnitWriter.span(schedule.jitter)) }
        // Without a word it may come a minute late.
        unit.add("AccuracySec", raw: "1s")
        unit.add("Unit", raw: "\(stem(of: spec)).service")
        return ExportedStack.File(name: "\(stem(of: spec)).timer", text: unit.text)
    }

    // MARK: Sockets

    /// A unit for each socket: its name in LISTEN_FDNAMES is a unit's.
    func socketUnits(of spec: ServiceSpec) -> [(file: String, socket: SocketSpec)] {
        guard spec.replicas <= 1 else {
            if !spec.sockets.isEmpty {
                exporter.lose(
                    "sockets", of: spec.name, because: "a socket is one service's",
                    instead: "write a .socket unit for each instance")
            }
            return []
        }
        if spec.sockets.count > 1 {
            exporter.change("sockets", of: spec.name, "their order is not kept", help: "let it go by LISTEN_FDNAMES")
        }
        return spec.sockets.enumerated().map { index, socket in
            ("\(stem(of: spec))\(index == 0 ? "" : "-\(index + 1)").socket", socket)
        }
    }

    func sockets(of spec: ServiceSpec) -> [ExportedStack.File] {
        socketUnits(of: spec).map { file, socket in
            var unit = UnitWriter()
            unit.section("Unit")
            unit.add("PartOf", raw: "\(stack.name).target")
            unit.section("Socket")
            switch socket.listen {
            case .tcp(let host, let port):
                unit.add("ListenStream", host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
            case .file(let path):
                unit.add("ListenStream", path)
                unit.add("SocketUser", spec.user?.split(separator: ":").first.map(String.init))
            case .abstract(let name): unit.add("ListenStream", "@\(name)")
            }
            unit.add("FileDescriptorName", socket.name)
            let mode = String(socket.mode, radix: 8)
            unit.add("SocketMode", raw: String(repeating: "0", count: max(0, 4 - mode.count)) + mode)
            unit.add("Service", raw: self.file(of: spec))
            return ExportedStack.File(name: file, text: unit.text)
        }
    }
}
