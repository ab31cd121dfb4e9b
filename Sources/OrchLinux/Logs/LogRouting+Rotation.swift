// SPDX-License-Identifier: Apache-2.0
internal import OrchModel

/// A rotation that somebody waits for, of files that several threads write.
struct SharedRotation {
    /// In the order in which files were named, and whose they are.
    var orders: [(lane: Int, order: LogRotationOrder)]
    /// What became of a lane's files, in their order.
    var answers: [Int: [LogRotation]] = [:]

    var isComplete: Bool { orders.allSatisfy { answers[$0.lane] != nil } }

    /// One answer, though several have given it; `reason` stands for those that have not.
    func answer(failing reason: String) -> [LogRotation] {
        var rest = answers
        return orders.map { lane, order in
            if rest[lane]?.isEmpty == false, let file = rest[lane]?.removeFirst() { return file }
            return LogRotation(
                order.instance, order.output, file: order.sink.destination.path ?? "", .failed(reason))
        }
    }
}

/// Rotation on demand: each thread rotates its own, and one answer is made of theirs.
extension LogRouting {
    mutating func rotate(_ number: UInt64, _ orders: [LogRotationOrder]) {
        var named: Set<String> = []
        var shared = SharedRotation(orders: [])
        for order in orders {
            guard let path = order.sink.destination.path, named.insert(path).inserted else { continue }
            shared.orders.append((lanes.lane(for: path), order))
        }
        guard !shared.orders.isEmpty else { return notices.post(.said(.rotated(number, [])), from: nil) }
        rotations[number] = shared
        for lane in Set(shared.orders.map(\.lane)).sorted() {
            lanes.send(.rotate(number, shared.orders.filter { $0.lane == lane }.map(\.order)), to: lane)
        }
    }

    mutating func rotated(_ number: UInt64, _ files: [LogRotation], in lane: Int) -> [LogNotice] {
        rotations[number]?.answers[lane] = files
        guard rotations[number]?.isComplete ?? false else { return [] }
        return giveUpRotation(number)
    }

    /// Answers it as it is; nothing if it was answered.
    mutating func giveUpRotation(_ number: UInt64) -> [LogNotice] {
        guard let shared = rotations.removeValue(forKey: number) else { return [] }
        return [.rotated(number, shared.answer(failing: "its file system does not answer; it is rotated once it does"))]
    }
}
