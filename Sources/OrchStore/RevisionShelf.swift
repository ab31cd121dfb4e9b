// SPDX-License-Identifier: Apache-2.0

import OrchEngine
import OrchModel

/// Applied revisions as files named by their digest, and for each stack a pointer to its present one.
struct RevisionShelf {
    private let revisions: DurableFolder
    private let pointers: DurableFolder

    init(in state: String) throws(Fault) {
        revisions = try DurableFolder(making: "\(state)/revisions")
        pointers = try DurableFolder(making: "\(state)/stacks")
    }

    func save(_ applied: AppliedStack) throws(Fault) {
        try revisions.write(SealedDocument.bytes(of: applied.request.stack.value), to: "\(applied.revision.hex).json")
        try pointers.write(SealedDocument.bytes(of: applied.pointer), to: "\(applied.request.stack.name).json")
    }

    func forget(stack: String) throws(Fault) { try pointers.remove("\(stack).json") }

    func removeRevision(_ digest: String) throws(Fault) { try revisions.remove("\(digest).json") }

    /// All stacks that are whole, sorted by name. What is damaged is set aside, if asked for, and said.
    func load(settingAside: Bool, remarks: inout [String]) throws(Fault) -> [AppliedStack] {
        if settingAside { _ = try revisions.names(cleaning: true) }
        var stacks: [AppliedStack] = []
        for file in try pointers.names(cleaning: settingAside) where file.hasSuffix(".json") {
            guard let pointer = try document(file, in: pointers, settingAside: settingAside, remarks: &remarks) else {
                continue
            }
            let revision = "\(pointer["revision"]?.string ?? "").json"
            guard let content = try document(revision, in: revisions, settingAside: settingAside, remarks: &remarks)
            else {
                let path = pointer["manifest_path"]?.string ?? "its manifest"
                if settingAside { _ = try pointers.setAside(file) }
                remarks.append("the revision of stack \(file.dropLast(5)) is lost: run `orch apply -f \(path)` again")
                continue
            }
            do { stacks.append(try AppliedStack(pointer: pointer, stack: Stack(content))) } catch {
                let aside = settingAside ? " and is set aside as \(try pointers.setAside(file))" : ""
                remarks.append(
                    "\(pointers.path)/\(file) does not have the expected shape (\(error.path): \(error.expected))\(aside)"
                )
            }
        }
        return stacks.sorted { $0.request.stack.name < $1.request.stack.name }
    }

    /// Nil when it is missing or damaged, which is said.
    private func document(
        _ name: String, in folder: DurableFolder, settingAside: Bool, remarks: inout [String]
    ) throws(Fault) -> Value? {
        let path = "\(folder.path)/\(name)"
        guard let bytes = try folder.read(name) else {
            remarks.append("\(path) is missing")
            return nil
        }
        do { return try SealedDocument.content(of: bytes) } catch {
            switch error {
            case .newer(let format):
                throw Fault(
                    step: "read", subject: path, reason: "it is of format \(format), written by a later orch",
                    remedy: "run that orch, or set ORCH_HOME to another folder")
            case .damaged(let reason):
                let aside = settingAside ? "; it is set aside as \(try folder.setAside(name))" : ""
                remarks.append("\(path) is damaged (\(reason))\(aside)")
                return nil
            }
        }
    }
}
