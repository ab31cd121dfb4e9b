// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// Names and paths that only one launch has at a time: `locks`.
extension Decoder {
    func locks(_ node: NodeID) -> [String] {
        guard let items = items(node, "locks", of: "names and paths") else { return [] }
        var names: [String] = []
        for item in items {
            guard let name = lock(item) else { continue }
            guard !names.contains(name) else {
                error("duplicate-key", "\"\(tree.text(item))\" is given twice", at: item, help: "remove it here")
                continue
            }
            names.append(name)
        }
        let files = names.count { $0.utf8.contains(47) }
        if files > Limits.lockFilesPerService {
            error(
                "limit", "\"locks\" has \(files) paths, and a service holds at most \(Limits.lockFilesPerService)",
                at: node, help: "a name without a slash costs nothing")
        }
        return names.sorted()
    }

    private func lock(_ item: NodeID) -> String? {
        guard let text = text(item, "locks") else { return nil }
        guard !text.isEmpty, text.utf8.count <= 255 || text.utf8.contains(47) else {
            error(
                "value", "\"locks\": a name has 1 to 255 characters", at: item,
                help: "a short name will do, such as db-migration; a path has a slash")
            return nil
        }
        return text.utf8.contains(47) ? path(item, "locks") : text
    }
}
