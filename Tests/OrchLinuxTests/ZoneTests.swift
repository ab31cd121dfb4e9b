// SPDX-License-Identifier: Apache-2.0
import Glibc
import OrchModel
import Testing

@testable import OrchLinux

/// Time zones of the machine that runs the tests.
@Suite struct ZoneTests {
    /// A machine without tzdata has none.
    private var hasZones: Bool { unsafe access("/usr/share/zoneinfo/Europe/Paris", R_OK) == 0 }

    /// As Python's zoneinfo has them, 1970 to 2150.
    @Test(
        arguments: [
            (
                "Europe/Paris",
                [
                    (486215926, 7200), (1059022248, 7200), (2675342405, 7200), (2787324501, 7200), (3185950873, 3600),
                    (3869338171, 7200), (4051686260, 7200), (4419543791, 3600),
                ]
            ),
            (
                "America/New_York",
                [
                    (930847394, -14400), (1200367645, -18000), (2335435112, -18000), (2465058629, -18000),
                    (3288765765, -14400), (3423720279, -14400), (4351292313, -18000), (4980462174, -14400),
                ]
            ),
            (
                "Australia/Lord_Howe",
                [
                    (544169062, 37800), (2651938379, 39600), (3742654890, 37800), (4219466551, 37800),
                    (4302590256, 37800), (4890968810, 39600), (5194575611, 37800), (5220451865, 37800),
                ]
            ),
            (
                "Asia/Kolkata",
                [
                    (879521323, 19800), (1242556253, 19800), (1283288560, 19800), (1551298954, 19800),
                    (2966284567, 19800), (3746962816, 19800), (3838591282, 19800), (4129516530, 19800),
                ]
            ),
            (
                "Africa/Casablanca",
                [
                    (279772928, 0), (625784932, 0), (1331259175, 0), (1451255993, 0), (3515508378, 3600),
                    (4309497677, 3600), (5007743104, 3600), (5589294771, 3600),
                ]
            ),
            (
                "Pacific/Apia",
                [
                    (244817139, -39600), (1356321087, 50400), (2066817247, 46800), (3026530898, 46800),
                    (3220345089, 46800), (3628735802, 46800), (4372566760, 46800), (4393174119, 46800),
                ]
            ),
            (
                "Europe/Dublin",
                [
                    (38991381, 3600), (844054145, 3600), (1572750345, 0), (3245863187, 0), (3383310246, 0),
                    (4046047430, 0), (4495658743, 3600), (5072010574, 3600),
                ]
            ),
        ] as [(String, [(second: Int64, offset: Int64)])])
    func offsetsAreThoseOfTheDatabase(name: String, expected: [(second: Int64, offset: Int64)]) throws {
        guard hasZones else { return }
        let zone = try #require(ZoneFile.read(name))
        for (second, offset) in expected {
            #expect(zone.offset(at: WallTime(nanoseconds: second * 1_000_000_000)) == offset, "\(name) \(second)")
        }
    }

    @Test func namesThatLeadElsewhereAreNone() {
        for name in ["../../etc/passwd", "/etc/localtime", "", "Europe", "Europe//Paris", "Mars/Phobos", ".."] {
            #expect(ZoneFile.read(name) == nil, "\(name)")
        }
        #expect(ZoneFile.read("host") != nil)
        #expect(ZoneFile.read("UTC")?.offset(at: WallTime(nanoseconds: 0)) == 0)
    }

    @Test func damagedFilesAreNone() throws {
        guard hasZones else { return }
        let bytes = try SmallFile.read("/usr/share/zoneinfo/Europe/Paris")
        #expect(ZoneFile.zone(from: bytes) == ZoneFile.read("Europe/Paris"))
        for cut in [0, 4, 43, 44, 100, bytes.count / 2] { #expect(ZoneFile.zone(from: Array(bytes[..<cut])) == nil) }
        var other = bytes
        other[0] = 0
        #expect(ZoneFile.zone(from: other) == nil)
        other = bytes
        other[32] = 0xff
        #expect(ZoneFile.zone(from: other) == nil)
    }

    /// Setting the clock needs more than a test may do: that the watch stands and is quiet is what can be seen.
    @Test func theClockWatchIsQuiet() throws {
        let watch = try ClockWatch()
        var one = pollfd(fd: watch.descriptor.number, events: Int16(POLLIN), revents: 0)
        #expect(unsafe poll(&one, 1, 0) == 0)
        #expect(!watch.wasSet())
    }
}
