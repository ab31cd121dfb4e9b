// SPDX-License-Identifier: Apache-2.0
import Glibc

/// libFuzzer's own main, for programs that have one (FuzzerInterface.h).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ feed: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Feeds the target that `ORCH_FUZZ` names with what libFuzzer invents.
@main struct Entry {
    fileprivate static let target: FuzzTarget = {
        let name = unsafe getenv("ORCH_FUZZ").map { unsafe String(cString: $0) } ?? ""
        if let target = FuzzTarget(rawValue: name) { return target }
        print("ORCH_FUZZ is one of \(FuzzTarget.allCases.map(\.rawValue))")
        exit(64)
    }()

    static func main() {
        var count = CommandLine.argc
        var words = unsafe CommandLine.unsafeArgv
        let code = unsafe runDriver(&count, &words) { bytes, count in
            if let broken = unsafe Entry.target.feed(Array(UnsafeBufferPointer(start: bytes, count: count))) {
                print("BROKEN: \(broken)")
                // What is still in a buffer would die with the program.
                unsafe fflush(nil)
                abort()
            }
            return 0
        }
        exit(code)
    }
}
