// SPDX-License-Identifier: Apache-2.0
internal import OrchModel
internal import OrchWire

/// The log streams of some instances, and whose they are.
struct LogSelection {
    private(set) var streams: [LogStream] = []
    /// One for each stream.
    private(set) var voices: [LogLineView.Voice] = []

    /// - Parameter kinds: which outputs. Two that go into one file are kept apart by the file's time index.
    init(_ statuses: [InstanceStatus], kinds: [LogStreamKind], on platform: any Platform) throws(Failure) {
        var services: [ServiceID] = []
        var known: (source: [[String]], redaction: Redaction) = ([[], []], Redaction())
        for status in statuses {
            if services.last != status.id.service { services.append(status.id.service) }
            // Instances of one service follow each other.
            let source = [status.redactedLog, status.secretFiles]
            if known.source != source { known = (source, try Redaction(of: status, on: platform)) }
            for kind in kinds {
                let path = kind == .stdout ? status.stdoutLog : status.stderrLog
                guard let path else { continue }
                streams.append(
                    LogStream(label: status.label, kind: kind, path: path, redaction: known.redaction))
                voices.append(
                    LogLineView.Voice(instance: status.id, label: status.label, kind: kind, number: services.count - 1))
            }
        }
    }

    var hasSeveralInstances: Bool { voices.contains { $0.instance != voices[0].instance } }
    var nameWidth: Int { min(24, voices.reduce(0) { max($0, DisplayWidth.of($1.label)) }) }
}

extension Redaction {
    /// Of the instance's log: its patterns, and what its secrets hold at this moment, line by line. What can't be read hides nothing, so
    /// nothing is shown then; a secret that is not there any more hides nothing either, and nobody can look it up.
    init(of status: InstanceStatus, on platform: any Platform) throws(Failure) {
        var finders: [LineFinder] = []
        for pattern in status.redactedLog {
            do throws(Fault) { finders.append(try platform.pattern(pattern)) } catch {
                var fault = error
                fault.remedy = "mend logging.redact of \(status.id.service.service) and apply again"
                throw Failure(.failed, fault)
            }
        }
        for file in status.secretFiles where platform.isFile(file) {
            do throws(Fault) {
                let lines = try ManifestSight.secret(file, platform).split { $0 == 10 || $0 == 13 }
                finders += lines.filter { $0.count >= Limits.maskedSecretBytes }.map { Self.finder(of: Array($0)) }
            } catch {
                var fault = error
                fault.remedy =
                    "it is masked in the log of \(status.id.service.service): let who reads that read it, or correct `secrets` and apply"
                throw Failure(.failed, fault)
            }
        }
        self.init(finders)
    }
}
