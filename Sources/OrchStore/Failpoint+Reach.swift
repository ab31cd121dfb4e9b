// SPDX-License-Identifier: Apache-2.0
#if DEBUG
    internal import COrch
#endif
internal import OrchModel

extension Failpoint {
    /// Ends this process if a test wants that; nothing in release builds.
    @inline(__always)
    func reach() {
        #if DEBUG
            unsafe rawValue.withCString { unsafe corch_failpoint($0) }
        #endif
    }
}
