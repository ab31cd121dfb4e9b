// SPDX-License-Identifier: Apache-2.0

/// A leaf at which two trees differ. Nil: it is not there.
public struct FieldDifference: Equatable, Sendable {
    /// Keys joined by dots; a key with anything but letters, digits, `_` and `-` is quoted: `labels."a.b"`.
    public var path: String
    public var from: Value?
    public var to: Value?
    public init(path: String, from: Value?, to: Value?) {
        self.path = path
        self.from = from
        self.to = to
    }
}

extension Value {
    /// The leaves at which two trees differ, in the order of `from`'s keys, then of those that only `to` has. Objects are walked
    /// by key, arrays of objects with a `name` by that name; other arrays are leaves. An object that is missing on one side
    /// is a leaf too, unless its path is in `absentAsEmpty`.
    public static func differences(from: Value, to: Value, absentAsEmpty: [String] = []) -> [FieldDifference] {
        var walk = DifferenceWalk(absentAsEmpty: absentAsEmpty)
        walk.compare(from, to, at: "")
        return walk.found
    }

    /// A key as it stands in a path.
    public static func pathKey(_ key: String) -> String {
        let plain =
            !key.isEmpty
            && key.utf8.allSatisfy {
                ($0 >= 97 && $0 <= 122) || ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || $0 == 95 || $0 == 45
            }
        return plain ? key : "\"\(key)\""
    }
}

private struct DifferenceWalk {
    let absentAsEmpty: [String]
    var found: [FieldDifference] = []

    init(absentAsEmpty: [String]) { self.absentAsEmpty = absentAsEmpty }

    mutating func compare(_ from: Value?, _ to: Value?, at path: String) {
        if from == to { return }
        if let (old, new) = objects(from, to, at: path) {
            for member in old { compare(member.value, Self.find(member.key, in: new), at: joined(path, member.key)) }
            for member in new where Self.find(member.key, in: old) == nil {
                compare(nil, member.value, at: joined(path, member.key))
            }
        } else {
            found.append(FieldDifference(path: path, from: from, to: to))
        }
    }

    private func objects(_ from: Value?, _ to: Value?, at path: String) -> ([Value.Member], [Value.Member])? {
        switch (from, to) {
        case (.object(let old), .object(let new)): (old, new)
        case (nil, .object(let new)): absentAsEmpty.contains(path) ? ([], new) : nil
        case (.object(let old), nil): absentAsEmpty.contains(path) ? (old, []) : nil
        case (.array(let old), .array(let new)):
            if let old = Self.named(old), let new = Self.named(new) { (old, new) } else { nil }
        default: nil
        }
    }

    private static func find(_ key: String, in members: [Value.Member]) -> Value? {
        members.first { $0.key == key }?.value
    }

    /// The items by their names, when all are objects with names of their own.
    private static func named(_ items: [Value]) -> [Value.Member]? {
        var members: [Value.Member] = []
        for item in items {
            guard let name = item["name"]?.string, find(name, in: members) == nil else { return nil }
            members.append(.init(name, item))
        }
        return members.isEmpty ? nil : members
    }

    private func joined(_ path: String, _ key: String) -> String {
        path.isEmpty ? Value.pathKey(key) : "\(path).\(Value.pathKey(key))"
    }
}
