// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchModel

/// An errno in words, with its symbol: `no such file or directory (ENOENT)`.
enum Reason {
    private static let symbols: [(Int32, String)] = [
        (EPERM, "EPERM"), (ENOENT, "ENOENT"), (ESRCH, "ESRCH"), (EINTR, "EINTR"), (EIO, "EIO"), (E2BIG, "E2BIG"),
        (ENOEXEC, "ENOEXEC"),
        (EBADF, "EBADF"), (EAGAIN, "EAGAIN"), (ENOMEM, "ENOMEM"), (EACCES, "EACCES"), (EBUSY, "EBUSY"),
        (EEXIST, "EEXIST"),
        (ENODEV, "ENODEV"), (ENOTDIR, "ENOTDIR"), (EISDIR, "EISDIR"), (EINVAL, "EINVAL"), (ENFILE, "ENFILE"),
        (EMFILE, "EMFILE"),
        (ETXTBSY, "ETXTBSY"), (EFBIG, "EFBIG"), (ENOSPC, "ENOSPC"), (EROFS, "EROFS"), (EPIPE, "EPIPE"),
        (ENAMETOOLONG, "ENAMETOOLONG"),
        (ENOSYS, "ENOSYS"), (ELOOP, "ELOOP"), (ELIBBAD, "ELIBBAD"), (EOPNOTSUPP, "EOPNOTSUPP"),
        (EAFNOSUPPORT, "EAFNOSUPPORT"),
        (EADDRINUSE, "EADDRINUSE"), (EADDRNOTAVAIL, "EADDRNOTAVAIL"), (ENETUNREACH, "ENETUNREACH"),
        (ECONNRESET, "ECONNRESET"),
        (ETIMEDOUT, "ETIMEDOUT"), (ECONNREFUSED, "ECONNREFUSED"), (EHOSTUNREACH, "EHOSTUNREACH"), (EDQUOT, "EDQUOT"),
        (ECANCELED, "ECANCELED"),
    ]

    static func text(_ code: Int32) -> String {
        let sentence = SystemError.sentence(code)
        let words = sentence.prefix(1).lowercased() + sentence.dropFirst()
        let symbol = symbols.first { $0.0 == code }?.1 ?? "errno \(code)"
        return "\(words) (\(symbol))"
    }

    /// The machine lacked something that may come back: descriptors, memory, processes. Not the service's failure.
    static func isScarcity(_ code: Int32) -> Bool {
        [EMFILE, ENFILE, ENOMEM, EAGAIN, ENOBUFS].contains(code)
    }
}

extension SystemError {
    /// As a fact for people.
    func fault(step: String, subject: String, remedy: String? = nil) -> Fault {
        Fault(step: step, subject: subject, reason: Reason.text(code), remedy: remedy)
    }
}
