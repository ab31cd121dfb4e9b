// SPDX-License-Identifier: Apache-2.0
internal import Glibc
public import OrchModel

/// A compiled POSIX extended regular expression (regcomp(3)); it owns what regcomp allocated and nobody else sees it. For one thread.
@safe public final class RegularExpression {
    private var compiled = unsafe regex_t()

    public init(_ expression: String) throws(Fault) {
        let code = unsafe regcomp(&compiled, expression, REG_EXTENDED)
        guard code != 0 else { return }
        var text = [CChar](repeating: 0, count: 128)
        _ = unsafe regerror(code, &compiled, &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw Fault(
            step: "read the pattern", subject: expression, reason: reason.lowercased(),
            remedy: "it is a POSIX extended regular expression, see regex(7)")
    }

    deinit { unsafe regfree(&compiled) }

    /// The first match at or after the byte `start`; `^` is the beginning of `line` alone. The bytes need no terminator: their length is
    /// given (REG_STARTEND, regexec(3)).
    public func firstMatch(in line: Span<UInt8>, from start: Int = 0) -> Range<Int>? {
        var bounds = [regmatch_t(rm_so: regoff_t(clamping: start), rm_eo: regoff_t(clamping: line.count))]
        return unsafe line.withUnsafeBufferPointer { bytes in
            // An empty line may have no address.
            guard let first = bytes.baseAddress else {
                return unsafe regexec(&compiled, "", 0, nil, 0) == 0 ? 0..<0 : nil
            }
            return unsafe first.withMemoryRebound(to: CChar.self, capacity: line.count) { text in
                guard unsafe regexec(&compiled, text, 1, &bounds, REG_STARTEND) == 0 else { return nil }
                return Int(bounds[0].rm_so)..<Int(bounds[0].rm_eo)
            }
        }
    }
}
