import EventStream
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test("Literals make the document that they look like")
    func literals() {
        let value: JSONValue = ["a": 1, "b": [true, nil, 2.5, "x"], "c": [:]]
        #expect(value.description == #"{"a":1,"b":[true,null,2.5,"x"],"c":{}}"#)
        #expect(value["b"]?[2]?.doubleValue == 2.5)
        #expect(value["b"]?[9] == nil)
        #expect(value["a"]?["x"] == nil)
    }

    @Test("Members keep their place when they're assigned to, and go when nil is assigned")
    func members() {
        var object: JSONObject = ["a": 1, "b": 2, "a": 3]
        #expect(object["a"] == 3)
        object["c"] = 4
        object["a"] = 5
        #expect(object.description == #"{"a":5,"b":2,"c":4}"#)
        object["b"] = nil
        #expect(object.keys == ["a", "c"])
        var value = JSONValue.object(object)
        value["d"] = "x"
        #expect(value["d"]?.stringValue == "x")
    }

    @Test("The order of members doesn't count for equality, the spelling of numbers does")
    func equality() throws {
        let left: JSONObject = ["a": 1, "b": 2]
        #expect(left == ["b": 2, "a": 1])
        #expect(left.hashValue == (["b": 2, "a": 1] as JSONObject).hashValue)
        #expect(left != ["a": 1])
        #expect(left == ["a": 7, "b": 2, "a": 1])
        #expect(try JSONValue(parsing: "1.0") != JSONValue(parsing: "1"))
    }

    @Test(
        "Doubles are spelled as Python spells them",
        arguments: [
            (20, "20.0"), (0.1, "0.1"), (1e15, "1000000000000000.0"), (1e16, "1e+16"),
            (-12_345_678_901_234_568, "-1.2345678901234568e+16"),
            (1e22, "1e+22"), (1e-4, "0.0001"), (1e-5, "1e-05"), (1.5e300, "1.5e+300"), (-0.0, "-0.0"),
            (.infinity, "Infinity"),
            (-.infinity, "-Infinity"), (.nan, "NaN"), (9_007_199_254_740_992, "9007199254740992.0"),
            (.leastNonzeroMagnitude, "5e-324"),
        ] as [(Double, String)]
    )
    func doubles(value: Double, spelling: String) {
        #expect(JSONNumber(value).literal == spelling)
    }

    @Test("A character is escaped in the same way wherever in a text it is, in each layout")
    func placesOfCharacters() {
        for scalar in (0..<0x100).compactMap({ Unicode.Scalar($0 as UInt32) }) {
            for layout in [JSONLayout.compact, .python] {
                let alone = JSONValue.string(String(Character(scalar))).serialized(layout).dropFirst().dropLast()
                let isPlain = scalar.isASCII && scalar.value >= 0x20 && !"\"\\".unicodeScalars.contains(scalar)
                // As Python's encoder has it: all but printable ASCII is escaped there.
                let isKept = layout == .python ? isPlain && scalar.value < 0x7F : isPlain || !scalar.isASCII
                #expect(isKept == (alone.first != UInt8(ascii: "\\")))
                for before in 0..<17 {
                    let text = String(repeating: "x", count: before) + String(Character(scalar)) + "yyyyyyyyy"
                    let expected =
                        Array("\"\(String(repeating: "x", count: before))".utf8) + alone + Array("yyyyyyyyy\"".utf8)
                    #expect(JSONValue.string(text).serialized(layout) == expected)
                }
            }
        }
    }

    @Test("Numbers give whole values as integers, whatever their spelling")
    func integers() throws {
        #expect(try JSONValue(parsing: "1e3").intValue == 1000)
        #expect(try JSONValue(parsing: "20.0").intValue == 20)
        #expect(try JSONValue(parsing: "-0").intValue == 0)
        #expect(try JSONValue(parsing: "1.5").intValue == nil)
        #expect(try JSONValue(parsing: "9223372036854775808").intValue == nil)
        #expect(try JSONValue(parsing: "NaN").doubleValue?.isNaN == true)
        #expect(try JSONValue(parsing: "1e999").doubleValue == .infinity)
    }
}
