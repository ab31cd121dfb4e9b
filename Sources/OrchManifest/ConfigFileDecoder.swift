// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

extension Decoder {
    /// `config_files`, with what is in them now.
    func configFiles(_ node: NodeID) -> [ConfigFile] {
        guard let items = items(node, "config_files", of: "paths") else { return [] }
        if items.count > Limits.configFilesPerService {
            error(
                "limit", "\"config_files\" has \(items.count) files; the limit is \(Limits.configFilesPerService)",
                at: node, help: "name the folder's main file, or leave out what seldom changes")
            return []
        }
        var files: [ConfigFile] = []
        for item in items {
            guard let path = path(item, "config_files") else { continue }
            guard !files.contains(where: { $0.path == path }) else {
                error("duplicate-key", "\"\(path)\" is given twice", at: item, help: "remove it here")
                continue
            }
            if let content = configContent(of: path, at: item) { files.append(ConfigFile(path, content: content)) }
        }
        return files.sorted { $0.path < $1.path }
    }

    private func configContent(of path: String, at node: NodeID) -> Digest? {
        if let known = configContents[path] { return known }
        let bytes: [UInt8]
        do throws(Fault) { bytes = try input.read(path) } catch {
            self.error(
                "config-file", error.text, at: node,
                help: error.remedy ?? "its content is part of the definition: whoever applies must be able to read it")
            return nil
        }
        guard bytes.count <= Limits.manifestBytes else {
            error(
                "too-large",
                "\"config_files\": \(path) has \(bytes.count) bytes; the limit is \(SizeText.format(Int64(Limits.manifestBytes)))",
                at: node, help: "leave it out: a change of it then needs orch reload or orch restart")
            return nil
        }
        let content = Digest(of: bytes)
        configContents[path] = content
        return content
    }
}
