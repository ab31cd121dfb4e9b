// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// When a task runs by itself; nil after having said what is wrong.
    func schedule(_ section: Section, into spec: inout ServiceSpec, own: NodeID) {
        guard let node = section["schedule"] else { return }
        guard spec.kind == .task else {
            error(
                "misplaced", "\"schedule\" is for tasks, and this is a service", at: section.key("schedule"),
                help: "write kind: task")
            return
        }
        guard let keys = self.section(node, Fields.schedule, "schedule"), let trigger = trigger(keys) else { return }
        var schedule = ScheduleSpec(trigger)
        if let node = keys["timezone"], let name = zoneName(node) { schedule.timeZone = name }
        if let node = keys["jitter"], let span = span(node, "jitter") { schedule.jitter = span }
        if let node = keys["overlap"], let word = word(node, "overlap", as: ScheduleSpec.Overlap.self) {
            schedule.overlap = word
        }
        if let node = keys["missed"], let word = word(node, "missed", as: ScheduleSpec.Missed.self) {
            schedule.missed = word
        }
        if let node = keys["retries"], let count = integer(node, "retries", in: 0...1_000_000) {
            schedule.retries = count
        }
        if let node = keys["retry_delay"], let span = span(node, "retry_delay") { schedule.retryDelay = span }
        if let node = keys["history"], let count = integer(node, "history", in: 0...Limits.runHistory) {
            schedule.history = count
        }
        spec.schedule = schedule
        check(schedule, of: spec, keys, section, own: own)
    }

    private func trigger(_ keys: Section) -> ScheduleSpec.Trigger? {
        switch (keys["cron"], keys["every"]) {
        case (nil, nil):
            error(
                "missing", "a schedule needs cron or every", at: keys.node,
                help: "such as  cron: \"0 2 * * *\"  or  every: 10m")
            return nil
        case (_?, let every?):
            error("value", "a schedule has cron or every, not both", at: every, help: "remove one of them")
            return nil
        case (let node?, nil):
            guard let text = text(node, "cron") else { return nil }
            do throws(CronError) { return .cron(try CronExpression(text)) } catch {
                self.error("cron", "\"cron\": \(error.message)", at: node, help: error.help)
                return nil
            }
        case (nil, let node?):
            guard let span = span(node, "every") else { return nil }
            guard span >= .seconds(1) else {
                error(
                    "range", "\"every\" must be at least 1s, not \(span.text)", at: node,
                    help: "for what is to run all the time, write kind: service")
                return nil
            }
            return .every(span)
        }
    }

    private func zoneName(_ node: NodeID) -> String? {
        guard let name = text(node, "timezone") else { return nil }
        if name == ScheduleSpec.hostZone { return name }
        guard ScheduleSpec.isZoneName(name) else {
            error(
                "timezone", "\"timezone\": \"\(name)\" is not the name of a time zone", at: node,
                help: "such as Europe/Paris, UTC, or host")
            return nil
        }
        if let isKnown = input.isKnownTimeZone, !isKnown(name) {
            error(
                "timezone", "this host knows no time zone \"\(name)\"", at: node,
                help: "names are those under /usr/share/zoneinfo, such as Europe/Paris")
            return nil
        }
        return name
    }

    private func check(
        _ schedule: ScheduleSpec, of spec: ServiceSpec, _ keys: Section, _ section: Section, own: NodeID
    ) {
        if case .every(let span) = schedule.trigger {
            if keys.has("timezone") {
                warn(
                    "no-effect", "\"timezone\" never takes effect: every goes by time that passes",
                    at: keys.key("timezone"), help: "remove it, or write cron instead of every")
            }
            if schedule.jitter >= span {
                error(
                    "range", "\"jitter\" (\(schedule.jitter.text)) must be shorter than \"every\" (\(span.text))",
                    at: keys.key("jitter"), help: "such as a tenth of it")
            }
        }
        if schedule.retries == 0, keys.has("retry_delay") {
            warn(
                "no-effect", "\"retry_delay\" never takes effect without retries", at: keys.key("retry_delay"),
                help: "add retries: how often a run that failed is tried again")
        }
        if schedule.overlap == .allow, spec.replicas > 1, let node = keys["overlap"] {
            error(
                "value", "runs of \(spec.replicas) replicas can't overlap as well", at: node,
                help: "write replicas: 1, or another overlap")
        }
        if let node = tree.value(own, "restart") {
            warn(
                "no-effect", "\"restart\" never takes effect: this task has a schedule", at: node,
                help: "a run that failed is tried again by schedule: { retries: … }")
        }
    }
}
