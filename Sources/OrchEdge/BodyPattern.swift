// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A POSIX extended regular expression (regex(7)) that is looked for line by line.
@safe struct BodyPattern: ~Copyable {
    private var compiled = unsafe regex_t()

    /// Why a pattern can't be used, in the C library's words.
    struct Refusal: Error, Equatable {
        var reason: String
    }

    init(_ pattern: String) throws(Refusal) {
        // REG_NEWLINE: `^` and `$` are those of a line and nothing but an explicit \n crosses one.
        let code = unsafe regcomp(&compiled, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB)
        guard code == 0 else {
            var text = [CChar](repeating: 0, count: 160)
            _ = unsafe regerror(code, &compiled, &text, text.count)
            // After a failure regcomp(3) has freed everything, and a second regfree(3) does no harm.
            throw Refusal(
                reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
    }

    /// Whether some line matches. A zero byte, which a C string can't hold, ends a line.
    func matches(_ body: [UInt8]) -> Bool {
        var text = body.map { $0 == 0 ? CChar(10) : CChar(bitPattern: $0) }
        text.append(0)
        return unsafe withUnsafePointer(to: compiled) { unsafe regexec($0, text, 0, nil, 0) == 0 }
    }

    deinit {
        var compiled = unsafe compiled
        unsafe regfree(&compiled)
    }
}
