// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import OrchCLI
internal import OrchLinux
internal import OrchModel
internal import OrchWire

extension LinuxPlatform {
    var logFiles: any LogFiles { LinuxLogFiles() }

    func pattern(_ expression: String) throws(Fault) -> ([UInt8]) -> Bool {
        let pattern = try RegularExpression(expression)
        return { pattern.matches($0) }
    }
}

/// A compiled POSIX extended regular expression (regcomp(3)); it owns what regcomp allocated and nobody else sees it.
@safe private final class RegularExpression {
    private var compiled = unsafe regex_t()

    init(_ expression: String) throws(Fault) {
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

    /// The bytes need no terminator: their length is given (REG_STARTEND).
    func matches(_ line: [UInt8]) -> Bool {
        var bounds = [regmatch_t(rm_so: 0, rm_eo: regoff_t(clamping: line.count))]
        return unsafe line.withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                // An empty line may have no address.
                guard let start = text.baseAddress else { return unsafe regexec(&compiled, "", 0, nil, 0) == 0 }
                return unsafe regexec(&compiled, start, 1, &bounds, REG_STARTEND) == 0
            }
        }
    }
}
