// SPDX-License-Identifier: Apache-2.0
import OrchEngine
import OrchManifest
import OrchModel
import OrchWire

@testable import OrchDaemon
@testable import OrchLinux
@testable import OrchStore

/// What takes bytes from outside: `make fuzz` feeds it what libFuzzer invents, the tests feed it what was kept of that.
enum FuzzTarget: String, CaseIterable {
    case manifest, imports = "import", envFile = "env-file", frames, state, notify, cron, zone

    /// Feeds `bytes`; the rule that was broken, in words, or nil.
    func feed(_ bytes: [UInt8]) -> String? {
        switch self {
        case .manifest: Self.feedManifest(bytes)
        case .imports: Self.feedImport(bytes)
        case .envFile: Self.feedEnvFile(bytes)
        case .frames: Self.feedFrames(bytes)
        case .state: Self.feedState(bytes)
        case .notify: Self.feedNotify(bytes)
        case .cron: Self.feedCron(bytes)
        case .zone: Self.feedZone(bytes)
        }
    }

    // MARK: What people write

    private static func load(_ manifest: [UInt8], _ others: [UInt8] = []) -> Result<LoadedManifest, ManifestErrors> {
        ManifestLoader.load(
            ManifestInput(
                files: ["/home/ada/orch.yaml"], currentDirectory: "/home/ada",
                callerEnvironment: [EnvironmentEntry("HOME", "/home/ada"), EnvironmentEntry("EMPTY", "")],
                isKnownUser: { $0 == "ada" }, isKnownTimeZone: { $0 == "Europe/Zurich" },
                read: { $0.hasSuffix("orch.yaml") ? manifest : others }))
    }

    private static func feedManifest(_ bytes: [UInt8]) -> String? {
        switch load(bytes) {
        case .failure(let errors):
            if !errors.diagnostics.contains(where: { $0.severity == .error }) { return "refused without an error" }
            for diagnostic in errors.diagnostics {
                guard let position = diagnostic.position, position.line > 0, position.column > 0 else {
                    return "an error has no place: \(diagnostic.message)"
                }
            }
            return nil
        case .success(let loaded):
            let text = ManifestWriter.yaml(loaded.request)
            switch load(Array(text.utf8)) {
            case .failure(let errors):
                let reasons = errors.diagnostics.map { "\($0.position?.text ?? "-") \($0.message)" }
                return "what `orch config` prints is refused:\n\(text)\n\(reasons.joined(separator: "\n"))"
            case .success(let again):
                return again.request.stack == loaded.request.stack
                    ? nil : "`orch config` prints another meaning:\n\(text)"
            }
        }
    }

    /// The first line says what of; the variables that the result needs have a value, and a file beside it is one of variables.
    private static func feedImport(_ bytes: [UInt8]) -> String? {
        let line = bytes.prefix { $0 != 10 }
        guard let format = ImportFormat(rawValue: String(decoding: line, as: UTF8.self)) else { return nil }
        let input = ImportInput(
            format: format, files: [.init(name: "source", bytes: Array(bytes.dropFirst(line.count + 1)))],
            folder: "/home/ada", beside: { $0 == ".env" ? Array("KNOWN=1\n".utf8) : nil })
        switch ManifestImport.manifest(from: input) {
        case .failure(let errors):
            let isPlaced = errors.diagnostics.contains { $0.severity == .error && ($0.position?.line ?? 0) > 0 }
            return isPlaced ? nil : "an import fails without a place: \(errors.diagnostics.map(\.message))"
        case .success(let imported):
            let caller = imported.variables.enumerated().map { EnvironmentEntry($1, String(1_000 + $0)) }
            let result = ManifestLoader.load(
                ManifestInput(
                    files: ["/home/ada/orch.yaml"], currentDirectory: "/home/ada", callerEnvironment: caller,
                    read: {
                        $0.hasSuffix("orch.yaml")
                            ? Array(imported.text.utf8) : $0.hasSuffix("/.env") ? Array("KNOWN=1\n".utf8) : []
                    }))
            guard case .failure(let errors) = result else { return nil }
            let reasons = errors.diagnostics.map { "\($0.position?.text ?? "-") \($0.message)" }
            return "an import is refused:\n\(imported.text)\n\(reasons.joined(separator: "\n"))"
        }
    }

    private static func feedEnvFile(_ bytes: [UInt8]) -> String? {
        let manifest = "services: { web: { command: [web], env_file: web.env } }"
        switch load(Array(manifest.utf8), bytes) {
        case .failure(let errors): return errors.diagnostics.isEmpty ? "refused without an error" : nil
        case .success(let loaded):
            let entries = loaded.request.stack.services.first?.environment ?? []
            let isWrong = entries.contains { $0.name.isEmpty || $0.text.utf8.contains(0) }
            return isWrong ? "an entry no process can get" : nil
        }
    }

    private static func feedCron(_ bytes: [UInt8]) -> String? {
        guard let expression = try? CronExpression(String(decoding: bytes, as: UTF8.self)) else { return nil }
        var time = WallTime(nanoseconds: 1_770_000_000_000_000_000)
        for _ in 0..<4 {
            guard let next = expression.next(after: time, in: .utc) else { return nil }
            if next <= time { return "the next time is not after the last one" }
            time = next
        }
        return nil
    }

    // MARK: What programs send

    private static func feedFrames(_ bytes: [UInt8]) -> String? {
        var whole = FrameBuffer(limit: 1 << 16)
        whole.append(bytes)
        var pieces = FrameBuffer(limit: 1 << 16)
        var inPieces: [Value] = []
        var piecesFail = false
        for byte in bytes where !piecesFail {
            pieces.append([byte])
            do { while let value = try pieces.next() { inPieces.append(value) } } catch { piecesFail = true }
        }
        var values: [Value] = []
        var wholeFails = false
        do { while let value = try whole.next() { values.append(value) } } catch { wholeFails = true }
        if values != inPieces || wholeFails != piecesFail { return "frames depend on how they are cut" }
        for value in values { if let broken = feedMessages(value) { return broken } }
        return nil
    }

    private static func feedMessages(_ value: Value) -> String? {
        _ = try? Hello(value)
        _ = try? EdgeAsk(value)
        _ = try? EdgeAnswer(value)
        if let request = try? Request(value), (try? Request(request.value)) != request {
            return "a request is not what it says: \(request)"
        }
        if let reply = try? Reply(value), (try? Reply(reply.value)) != reply {
            return "a reply is not what it says: \(reply)"
        }
        return nil
    }

    private static func feedNotify(_ bytes: [UInt8]) -> String? {
        for notice in NotifySocket.notices(in: bytes[...]) {
            if case .status(let text) = notice, text.utf8.contains(where: { $0 < 32 || $0 == 127 }) {
                return "a status drives the terminal"
            }
        }
        return nil
    }

    // MARK: What the disk gives back

    private static func feedState(_ bytes: [UInt8]) -> String? {
        if let note = LaunchNoteCodec.note(from: bytes) {
            if LaunchNoteCodec.note(from: LaunchNoteCodec.bytes(of: note)) != note { return "a note changes: \(note)" }
        }
        if let context = LaunchContext(encoded: bytes), LaunchContext(encoded: context.encoded) == nil {
            return "a launch's context is not read again"
        }
        _ = LogIndex.inode(ofHeader: bytes)
        _ = LogIndex.decode(bytes)
        // The seal is no obstacle for whoever writes files; it is put on here.
        guard let content = try? JSON.parse(bytes) else {
            _ = try? SealedDocument.content(of: bytes)
            return nil
        }
        guard let sealed = try? SealedDocument.content(of: SealedDocument.bytes(of: content)), sealed == content else {
            return "a sealed document does not open"
        }
        _ = try? AppliedStack(pointer: content, revision: content, boot: nil)
        guard let stack = try? Stack(content) else { return nil }
        return (try? Stack(stack.value)) == stack ? nil : "a stack changes when it is written"
    }

    private static func feedZone(_ bytes: [UInt8]) -> String? {
        guard let zone = ZoneFile.zone(from: bytes) else { return nil }
        guard let expression = try? CronExpression("30 2 * * *") else { return "a plain cron expression is refused" }
        var time = WallTime(nanoseconds: 1_770_000_000_000_000_000)
        for _ in 0..<3 {
            guard let next = expression.next(after: time, in: zone) else { return nil }
            if next <= time { return "the next time is not after the last one" }
            time = next
        }
        return nil
    }
}
