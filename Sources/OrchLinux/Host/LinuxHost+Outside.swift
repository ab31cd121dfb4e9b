// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchDaemon
internal import OrchEngine
internal import OrchModel

/// Questions about what is no launch.
extension LinuxHost {
    func ask(_ need: OutsideNeed, _ round: UInt64, timeout: Duration) {
        let question = HostQuestion.outside(need, round)
        switch need {
        case .tcp(let endpoint): connect(endpoint, timeout: timeout, question)
        case .http(let url): askEdge(HTTPProbe(url: url), timeout: timeout, question)
        case .file(let path): answer(question, Self.isThere(path))
        case .lock(let path): answer(question, LockFile.isFree(path))
        }
    }

    /// stat(2): a symbolic link counts as what it points to.
    /// `named`: whoever hears the answer does not know the path.
    static func isThere(_ path: String, named: Bool = false) -> ProbeResult {
        var facts = stat()
        if unsafe stat(path, &facts) == 0 { return .success }
        let reason = Reason.text(errno)
        return .failure(named ? "\(path): \(reason)" : reason)
    }
}
