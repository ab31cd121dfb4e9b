// SPDX-License-Identifier: Apache-2.0

import OrchModel
import Testing

@Suite struct CalendarTests {
    static let zones: [String: TimeZone] = {
        var offsets: [String: Int64] = [:]
        var moves: [String: [TimeZone.Transition]] = [:]
        var rules: [String: TimeZoneRule] = [:]
        for line in CalendarTruth.zones.split(separator: "\n") {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map { String($0) }
            offsets[parts[0]] = Int64(parts[1]) ?? 0
            rules[parts[0]] = TimeZoneRule(text: parts[3])
            for move in parts[2].split(separator: " ") {
                let pair = move.split(separator: ",").compactMap { Int64($0) }
                moves[parts[0], default: []].append(.init(at: pair[0], offset: pair[1]))
            }
        }
        return Dictionary(
            uniqueKeysWithValues: offsets.map { name, offset in
                (name, TimeZone(initialOffset: offset, transitions: moves[name] ?? [], rule: rules[name]))
            })
    }()

    @Test func instantsAreThoseThatCountingMinutesFinds() throws {
        var count = 0
        for line in CalendarTruth.instants.split(separator: "\n") {
            let parts = line.split(separator: "|").map { String($0) }
            let zone = try #require(Self.zones[parts[0]])
            let cron = try CronExpression(parts[1])
            let start = try #require(Int64(parts[2]))
            let expected = parts[3].split(separator: " ").compactMap { Int64($0) }
            var time = seconds(start)
            var found: [Int64] = []
            for _ in expected {
                time = try #require(cron.next(after: time, in: zone))
                found.append(time.nanoseconds / 1_000_000_000 - start)
            }
            #expect(found == expected, "\(line)")
            count += 1
        }
        #expect(count > 250)
    }

    @Test func nothingIsBetweenTwoInstantsAndTheLastIsTheLast() throws {
        for line in CalendarTruth.instants.split(separator: "\n") {
            let parts = line.split(separator: "|").map { String($0) }
            let zone = try #require(Self.zones[parts[0]])
            let cron = try CronExpression(parts[1])
            let start = seconds(try #require(Int64(parts[2])))
            let first = try #require(cron.next(after: start, in: zone))
            let second = try #require(cron.next(after: first, in: zone))
            #expect(cron.last(after: start, through: first, in: zone) == first)
            #expect(cron.last(after: start, through: second + .nanoseconds(-1), in: zone) == first)
            #expect(cron.last(after: start, through: second + .nanoseconds(1), in: zone) == second)
            #expect(cron.last(after: first, through: first, in: zone) == nil)
            #expect(cron.next(after: first + .nanoseconds(-1), in: zone) == first)
        }
    }

    @Test func theNightClocksGoForwardHasItsRunAtTheEndOfTheGap() throws {
        let paris = try #require(Self.zones["Europe/Paris"])
        let cron = try CronExpression("30 2 * * *")
        var time = seconds(1_774_652_400)  // 2026-03-28 00:00 there
        var shown: [String] = []
        for _ in 0..<3 {
            time = try #require(cron.next(after: time, in: paris))
            shown.append(paris.text(of: time))
        }
        #expect(shown == ["2026-03-28 02:30 +01:00", "2026-03-29 03:00 +02:00", "2026-03-30 02:30 +02:00"])
    }

    @Test func theNightClocksGoBackHasOneRun() throws {
        let paris = try #require(Self.zones["Europe/Paris"])
        var time = seconds(1_792_879_200)  // 2026-10-25 00:00 there
        time = try #require(try CronExpression("30 2 * * *").next(after: time, in: paris))
        #expect(paris.text(of: time) == "2026-10-25 02:30 +02:00")
        time = try #require(try CronExpression("30 2 * * *").next(after: time, in: paris))
        #expect(paris.text(of: time) == "2026-10-26 02:30 +01:00")
        // Each hour of the clock is about time that passes: the hour that comes twice has it twice.
        let hourly = try CronExpression("30 * * * *")
        time = seconds(1_792_879_200)
        var gaps: [Int64] = []
        for _ in 0..<5 {
            let next = try #require(hourly.next(after: time, in: paris))
            gaps.append((next.nanoseconds - time.nanoseconds) / 60_000_000_000)
            time = next
        }
        #expect(gaps == [30, 60, 60, 60, 60])
    }

    @Test func aLeapDayIsFoundOverTheCenturyThatHasNone() throws {
        let cron = try CronExpression("0 0 29 2 *")
        let after = noon(2096, 3, 1)
        #expect(cron.next(after: after, in: .utc)?.rfc3339 == "2104-02-29T00:00:00.000Z")
        let sunday = try CronExpression("0 0 29 2 */7")  // a star restricts nothing by itself: 29 February and a Sunday
        let found = try #require(
            sunday.next(after: noon(2088, 3, 1), in: .utc))
        #expect(found.rfc3339 == "2128-02-29T00:00:00.000Z")
    }

    @Test(arguments: [
        ("* * * *", "it has 4 fields, not 5", "minute, hour"),
        ("60 * * * *", "in the minute, 60 is not from 0 to 59", "the minute takes numbers from 0 to 59, ranges"),
        ("* 24 * * *", "in the hour, 24 is not from 0 to 23", "the hour takes"),
        ("* * 0 * *", "in the day of month, 0 is not from 1 to 31", "the day of month takes"),
        ("* * * foo *", "in the month, \"foo\" is not a number or a name", "names jan to dec"),
        ("* * * * 8", "in the day of week, 8 is not from 0 to 7", "names sun to sat"),
        ("* 22-2 * * *", "in the hour, \"22-2\" goes down", "write 22-23,0-2"),
        ("*/0 * * * *", "in the minute, the step \"0\" is not a number from 1 on", "the minute takes"),
        ("1,,2 * * * *", "in the minute, \"1,,2\" lacks a part", "the minute takes"),
        ("-5 * * * *", "in the minute, \"\" is not a number", "the minute takes"),
        ("0 0 30 2 *", "it never comes: no year has such a day", "29"),
        ("0 0 31 4,6,9,11 *", "it never comes: no year has such a day", "30"),
        ("@reboot", "there is no \"@reboot\"", "a task without schedule runs at boot"),
        ("@every 5m", "there is no \"@every 5m\"", "write every: 5m instead of cron"),
        ("@dayly", "there is no \"@dayly\"", "@daily"),
    ])
    func whatIsWrongIsSaidWithItsFieldAndWhatIsAllowed(text: String, message: String, help: String) {
        #expect(throws: CronError.self) { try CronExpression(text) }
        do { _ = try CronExpression(text) } catch {
            #expect(error.message == message)
            #expect(error.help.contains(help), "\(error.help)")
        }
    }

    @Test func namesRangesStepsAndListsMean() throws {
        for (a, b) in [
            ("0 0 * jan-mar mon", "0 0 * 1-3 1"), ("0 0 * * fri-sun", "0 0 * * 5,6,0"), ("0 0 * * 7", "0 0 * * sun"),
            ("5/20 * * * *", "5,25,45 * * * *"), ("@daily", "0 0 * * *"), ("@Weekly", "0 0 * * 0"),
            ("0  0\t1 1 *", "@yearly"), ("0 0 * * sun-tue", "0 0 * * 0-2"),
        ] {
            let (left, right) = (try CronExpression(a), try CronExpression(b))
            var time = seconds(1_700_000_000)
            for _ in 0..<20 {
                let next = try #require(left.next(after: time, in: .utc))
                #expect(right.next(after: time, in: .utc) == next, "\(a) is \(b)")
                time = next
            }
        }
    }

    @Test(arguments: [
        "", "CET", "CE1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-25",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET", "CET-1CEST,J0,J5",
    ])
    func aRuleThatPOSIXDoesNotHaveIsNone(text: String) { #expect(TimeZoneRule(text: text) == nil) }

    @Test func rulesOfAllKindsHold() {
        // Noon of the first of each month, as minutes east of UTC.
        func offsets(_ rule: String, in year: Int) -> [Int64] {
            let zone = TimeZone(initialOffset: 0, transitions: [], rule: TimeZoneRule(text: rule))
            return (1...12).map {
                zone.offset(at: noon(year, $0, 1)) / 60
            }
        }
        #expect(
            offsets("EST5EDT,M3.2.0,M11.1.0", in: 2149) == [-300, -300, -300] + Array(repeating: -240, count: 7) + [
                -240, -300,
            ])
        #expect(
            offsets("IST-1GMT0,M10.5.0,M3.5.0/1", in: 2099) == [0, 0, 0] + Array(repeating: 60, count: 7) + [0, 0])
        #expect(offsets("AAA3BBB,J60/0,J61/0", in: 2024) == [-180, -180, -120] + Array(repeating: -180, count: 9))
        #expect(offsets("AAA3BBB,59/0,61/0", in: 2024) == [-180, -180, -120] + Array(repeating: -180, count: 9))
        #expect(
            offsets("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", in: 2050) == [-120, -120, -120]
                + Array(repeating: -60, count: 7) + [-120, -120])
    }

    /// A damaged file of the zone database.
    @Test(arguments: [Int64.min, .min + 1, .max - 1, .max]) func aTransitionThatCannotHaveBeenIsHarmless(at: Int64)
        throws
    {
        for offset in [Int64(Int32.min), -3_600, Int64(Int32.max)] {
            let zone = TimeZone(initialOffset: -offset, transitions: [.init(at: at, offset: offset)])
            let due = try CronExpression("30 2 * * *").next(after: seconds(1_770_000_000), in: zone)
            #expect(try #require(due) > seconds(1_770_000_000))
        }
    }

    private func noon(_ year: Int, _ month: Int, _ day: Int) -> WallTime {
        CivilTime(year: year, month: month, day: day, hour: 12)?.wallTime ?? seconds(0)
    }
    private func seconds(_ count: Int64) -> WallTime { WallTime(nanoseconds: count * 1_000_000_000) }
}
