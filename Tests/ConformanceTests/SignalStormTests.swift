// SPDX-License-Identifier: Apache-2.0

import Glibc
import OrchModel
import OrchWire
import Testing

/// All that waits in a system call is interrupted, a thousand times a second: nothing must change.
@Suite(.serialized) struct SignalStormTests {
    /// A signal that does nothing at daemon, edge and `orch` themselves (Tests/fault-shim). The keeper blocks all signals: it is stopped and
    /// continued, which interrupts epoll_wait(2) without any (signal(7)).
    @Test func interruptedCallsChangeNothing() throws {
        let day = try Day(Workplace(shim: .storm))
        let place = day.place
        try day.begin()
        let (keeper, daemon) = (try place.keeper(), try place.daemon())
        let script = "while kill -STOP \(keeper) && kill -CONT \(keeper); do [ -e \(place.home)/calm ] && exit; done"
        let storm = try place.start(["/bin/sh", "-c", script])
        try day.turn()
        try day.turn()
        try place.write("", to: "../calm")
        var status: Int32 = 0
        while unsafe waitpid(storm, &status, 0) < 0, errno == EINTR {}
        #expect(try place.keeper() == keeper && place.daemon() == daemon, "nobody was replaced")
        try day.live()
        for program in ["orch", "orchd"] {
            #expect(unsafe access("\(place.home)/storm.\(program)", F_OK) == 0, "\(program) was not interrupted")
        }
        let log = contents(place.home + "/state/orchd.log")
        #expect(!log.contains("was killed by signal") && !log.contains("EINTR"), "\(log.suffix(2_000))")
        try day.end(mayForget: false)
    }
}
