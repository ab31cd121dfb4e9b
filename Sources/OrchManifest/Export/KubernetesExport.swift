// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A stack as objects of Kubernetes: a Deployment (a StatefulSet where copies know their number), Job or CronJob each, and a Service for ports.
struct KubernetesExport {
    let exporter: Exporter
    var stack: Stack { exporter.stack }

    init(_ exporter: Exporter) { self.exporter = exporter }

    private static let general = """
        Each container needs an image that has what it runs, at the same paths: build it under the name that stands here, or write another. What \
        listens is reached by the name of its Service, not by 127.0.0.1.
        """

    func file() -> ExportedStack.File {
        var documents: [[DraftEntry]] = []
        for spec in stack.services {
            var object = workload(spec)
            let words = [spec.title, spec.details].filter { !$0.isEmpty }
            var head = DraftEntry.notes([])
            head.remarks = words + makingSecrets(spec) + exporter.remarks(of: spec.name)
            if !head.remarks.isEmpty || documents.isEmpty { object.insert(head, at: 0) }
            documents.append(object)
            if let service = service(spec) { documents.append(service) }
        }
        if !documents.isEmpty {
            let top = (stack.details.isEmpty ? [] : [stack.details]) + [Self.general] + exporter.remarks(of: "")
            documents[0][0].remarks = top + documents[0][0].remarks
        }
        let texts = documents.enumerated().map { index, entries in
            DraftText(entries, header: header(index), namesFiles: true).text
        }
        let text = texts.isEmpty ? "# \(stack.name) has no services.\n" : texts.joined(separator: "---\n")
        return ExportedStack.File(name: "\(stack.name).yaml", text: text)
    }

    private func header(_ index: Int) -> String {
        index == 0
            ? "Made by `orch export kubernetes` of \(exporter.request.manifestPath): kubectl apply -f FILE"
            : "Of the stack \(stack.name)."
    }

    // MARK: Names

    /// A name is a DNS label: no underscores, 63 characters.
    func name(_ spec: ServiceSpec) -> String { Self.label("\(stack.name)-\(spec.name)") }

    static func label(_ text: String) -> String {
        var letters = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(52)
        while letters.last == "-" { letters.removeLast() }
        while letters.first == "-" { letters.removeFirst() }
        return letters.isEmpty ? "x" : String(letters)
    }

    private func labels(_ spec: ServiceSpec) -> Value {
        [
            "app.kubernetes.io/name": .string(Self.label(spec.name)),
            "app.kubernetes.io/part-of": .string(Self.label(stack.name)),
        ]
    }

    private func metadata(_ spec: ServiceSpec) -> Value {
        var members = [Value.Member("name", .string(name(spec))), Value.Member("labels", labels(spec))]
        if !spec.labels.isEmpty {
            members.append(
                .init("annotations", .object(spec.labels.map { .init(Self.annotation($0.name), .string($0.text)) })))
        }
        return .object(members)
    }

    /// Letters, digits, `-`, `_` and `.`, 63 of them at most, behind a prefix if there is one.
    private static func annotation(_ name: String) -> String {
        let parts = name.split(separator: "/", maxSplits: 1).map { part in
            String(part.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" }.prefix(63))
        }
        let whole = parts.joined(separator: "/")
        return whole.isEmpty ? "x" : whole
    }

    private func makingSecrets(_ spec: ServiceSpec) -> [String] {
        guard !spec.secrets.isEmpty else { return [] }
        let files = spec.secrets.map { "--from-file=\($0.name)=\($0.file)" }.joined(separator: " ")
        return ["kubectl create secret generic \(name(spec)) \(files)"]
    }

    // MARK: Objects

    private func object(_ version: String, _ kind: String, _ spec: ServiceSpec, _ body: Value) -> [DraftEntry] {
        [
            DraftEntry("apiVersion", .value(.string(version))), DraftEntry("kind", .value(.string(kind))),
            DraftEntry("metadata", .value(metadata(spec))), DraftEntry("spec", .value(body)),
        ]
    }

    private func workload(_ spec: ServiceSpec) -> [DraftEntry] {
        switch (spec.kind, spec.schedule) {
        case (.task, let schedule?): return cronJob(spec, schedule)
        case (.task, nil):
            return object(
                "batch/v1", "Job", spec,
                job(spec, retries: spec.restart.policy == .no ? 0 : spec.restart.maxAttempts ?? 6, isCopied: true))
        case (.service, _): return deployment(spec)
        }
    }

    private func deployment(_ spec: ServiceSpec) -> [DraftEntry] {
        var body: [Value.Member] = [
            .init("replicas", .int(Int64(spec.enabled ? spec.replicas : 0))),
            .init("selector", ["matchLabels": labels(spec)]),
        ]
        let copies = Int64(max(1, spec.update.parallelism))
        if exporter.isNumbered(spec) {
            body.append(.init("serviceName", .string(name(spec))))
            body.append(.init("ordinals", ["start": 1]))
            if spec.update.order == .startFirst {
                exporter.lose(
                    "update.order", of: spec.name, because: "a StatefulSet, which numbers its pods, stops first")
            }
        } else {
            let isFirst = spec.update.order == .startFirst
            body.append(
                .init(
                    "strategy",
                    [
                        "type": "RollingUpdate",
                        "rollingUpdate": [
                            "maxSurge": .int(isFirst ? copies : 0), "maxUnavailable": .int(isFirst ? 0 : copies),
                        ],
                    ]))
            if let limit = spec.startTimeout {
                let seconds = Exporter.wholeSeconds(limit) + Exporter.wholeSeconds(spec.update.minReady)
                body.append(.init("progressDeadlineSeconds", .int(seconds)))
            }
        }
        if spec.update.minReady > .zero {
            body.append(.init("minReadySeconds", .int(Exporter.wholeSeconds(spec.update.minReady))))
        }
        if spec.update.onFailure != .pause {
            exporter.lose(
                "update.on_failure", of: spec.name, because: "a rollout that fails stays where it is",
                instead: "kubectl rollout undo")
        }
        if spec.restart.policy == .no {
            exporter.change(
                "restart", of: spec.name, "a Deployment starts its pods again, always", help: "make it a task")
        }
        if spec.restart.maxAttempts != nil {
            exporter.lose("restart.max_attempts", of: spec.name, because: "a Deployment never gives up")
        }
        body.append(.init("template", ["metadata": ["labels": labels(spec)], "spec": pod(spec, restart: nil)]))
        return object("apps/v1", exporter.isNumbered(spec) ? "StatefulSet" : "Deployment", spec, .object(body))
    }

    private func job(_ spec: ServiceSpec, retries: Int, isCopied: Bool) -> Value {
        var body: [Value.Member] = [.init("backoffLimit", .int(Int64(retries)))]
        if let limit = spec.startTimeout {
            body.append(.init("activeDeadlineSeconds", .int(Exporter.wholeSeconds(limit))))
        }
        if isCopied, !spec.enabled { body.append(.init("suspend", true)) }
        if spec.replicas > 1 {
            body.append(.init("parallelism", .int(Int64(spec.replicas))))
            body.append(.init("completions", .int(Int64(spec.replicas))))
        }
        body.append(.init("template", ["metadata": ["labels": labels(spec)], "spec": pod(spec, restart: "Never")]))
        return .object(body)
    }

    private func cronJob(_ spec: ServiceSpec, _ schedule: ScheduleSpec) -> [DraftEntry] {
        var cron = "0 0 * * *"
        switch schedule.trigger {
        case .cron(let expression): cron = expression.text
        case .every(let span):
            if let line = CalendarText.cron(every: span) {
                cron = line
            } else {
                exporter.lose(
                    "schedule.every", of: spec.name, because: "no cron line comes every \(span.text): it is daily here",
                    instead: "write cron")
            }
        }
        let overlap: String
        switch schedule.overlap {
        case .skip: overlap = "Forbid"
        case .replace: overlap = "Replace"
        case .allow: overlap = "Allow"
        case .queue:
            overlap = "Forbid"
            exporter.change("schedule.overlap", of: spec.name, "a run that is due while another goes on is left out")
        }
        var body: [Value.Member] = [.init("schedule", .string(cron))]
        if schedule.timeZone == ScheduleSpec.hostZone {
            exporter.change(
                "schedule", of: spec.name, "the clock is that of the control plane, mostly UTC", help: "write timezone")
        } else {
            body.append(.init("timeZone", .string(schedule.timeZone)))
        }
        body.append(.init("concurrencyPolicy", .string(overlap)))
        body.append(.init("startingDeadlineSeconds", .int(schedule.missed == .runOnce ? 86_400 : 60)))
        body.append(.init("successfulJobsHistoryLimit", .int(Int64(schedule.history))))
        body.append(.init("failedJobsHistoryLimit", .int(Int64(schedule.history))))
        if !spec.enabled { body.append(.init("suspend", true)) }
        let template = job(spec, retries: schedule.retries, isCopied: false)
        body.append(.init("jobTemplate", ["spec": template]))
        return object("batch/v1", "CronJob", spec, .object(body))
    }

    private func service(_ spec: ServiceSpec) -> [DraftEntry]? {
        let ports = spec.ports.enumerated().filter { $0.element.port != 0 }
        guard !ports.isEmpty, spec.kind == .service else { return nil }
        var body: [Value.Member] = [.init("selector", labels(spec))]
        if exporter.isNumbered(spec) { body.append(.init("clusterIP", "None")) }
        body.append(
            .init(
                "ports",
                .array(
                    ports.map { index, port in
                        [
                            "name": .string(KubernetesPod.portName(port, index)), "port": .int(Int64(port.port)),
                            "targetPort": .int(Int64(port.port)),
                            "protocol": .string(port.transport.rawValue.uppercased()),
                        ]
                    })))
        return object("v1", "Service", spec, .object(body))
    }

    private func pod(_ spec: ServiceSpec, restart: String?) -> Value {
        KubernetesPod(exporter: exporter, spec: spec, name: name(spec)).value(restart: restart)
    }
}
