// SPDX-License-Identifier: Apache-2.0

import OrchModel
import OrchWire
import Testing

/// Random trees from a seed (SplitMix64).
struct ValueGenerator {
    private var chance: SplitMix
    init(seed: UInt64) { chance = SplitMix(seed: seed) }
    mutating func next() -> UInt64 { chance.next() }
    mutating func below(_ bound: Int) -> Int { chance.below(bound) }
    mutating func text() -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\n", "\u{0}", "\u{7f}", "é", "漢", "😀", "/", "\u{2028}", " "]
        var text = ""
        for _ in 0..<below(9) { text.unicodeScalars.append(scalars[below(scalars.count)]) }
        return text
    }
    mutating func value(depth: Int = 0) -> Value {
        switch below(depth > 4 ? 6 : 8) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .int(Int64(bitPattern: next()))
        case 3: return .int(Int64(below(200)) - 100)
        case 4:
            let number = Double(bitPattern: next())
            return .double(number.isFinite ? number : 0.5)
        case 5: return .string(text())
        case 6: return .array((0..<below(5)).map { _ in value(depth: depth + 1) })
        default: return .object((0..<below(5)).map { .init("\($0)" + text(), value(depth: depth + 1)) })
        }
    }
}

@Suite struct JSONTests {
    @Test func randomTreesReadBackAsThemselves() throws {
        for seed in 0..<2_000 as Range<UInt64> {
            var generator = ValueGenerator(seed: seed)
            let value = generator.value()
            #expect(try JSON.parse(JSON.bytes(of: value)) == value, "seed \(seed)")
        }
    }

    @Test func textIsExact() {
        let value: Value = ["a": [1, -2.5, true, nil], "é\"": "x\n\u{1}\\"]
        #expect(JSON.text(of: value) == #"{"a":[1,-2.5,true,null],"é\"":"x\n\u0001\\"}"#)
        #expect(JSON.text(of: .int(.min)) == "-9223372036854775808")
        #expect(JSON.text(of: .double(.infinity)) == "null")
    }

    @Test(arguments: [
        (#" { "a" : [ 1 , 2e3 ] } "#, ["a": [1, .double(2000)]] as Value), (#""\ud83d\ude00\u00e9\/""#, "😀é/"),
        ("-0", .int(0)),
        ("9223372036854775807", .int(.max)), ("9223372036854775808", .double(9.223372036854775808e18)),
        ("1E-2", .double(0.01)),
    ])
    func validTextIsRead(text: String, value: Value) throws { #expect(try JSON.parse(text) == value) }

    @Test(arguments: [
        "", " ", "[", "[1,]", "{,}", #"{"a":1,}"#, #"{"a":1,"a":2}"#, "{a:1}", "01", "1.", ".5", "-", "1e", "+1", "nul",
        "truth", "[1 2]", "1 2",
        #""\ud83d""#, #""\ude00\ud83d""#, #""\x""#, "\"\n\"", "\"a", #""\u12"#, "1e999", "NaN", "'a'", "\u{feff}1",
    ])
    func malformedTextIsRefused(text: String) { #expect(throws: JSONError.self) { try JSON.parse(text) } }

    @Test func bytesThatAreNotUTF8AreRefused() {
        for bytes: [UInt8] in [
            [0x22, 0xff, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
            [0x22, 0x5c, 0x6e, 0xff, 0x22],
        ] {
            #expect(throws: JSONError.self) { try JSON.parse(bytes) }
        }
    }

    @Test func depthAndNumberOfValuesAreBounded() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONError(offset: Limits.valueDepth, reason: "nested too deeply")) { try JSON.parse(deep) }
        #expect(throws: JSONError.self) { try JSON.parse(Array("[1,2,3]".utf8), nodes: 3) }
    }

    @Test func manyKeysAreCheckedForDuplicates() throws {
        let members = (0..<5_000).map { Value.Member("k\($0)", .int(Int64($0))) }
        #expect(try JSON.parse(JSON.bytes(of: .object(members))) == .object(members))
        #expect(throws: JSONError.self) { try JSON.parse(JSON.bytes(of: .object(members + [members[4_000]]))) }
    }
}
