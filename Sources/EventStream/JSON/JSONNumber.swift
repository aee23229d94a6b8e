/// A JSON number that keeps its spelling, so that `20.0`, `1e3` and integers of any size are written as they were read.
///
/// Two numbers are equal when they're spelled the same way.
public struct JSONNumber: Sendable, Hashable {
    /// An integer spelled the usual way takes no allocation; everything else keeps its text.
    private enum Storage: Sendable, Hashable {
        case integer(Int)
        case literal(String)
    }

    private var storage: Storage

    /// Makes an integer.
    public init(_ value: Int) {
        storage = .integer(value)
    }

    /// Makes a number with the shortest spelling that reads back as the same value.
    ///
    /// It is spelled as Python's `repr` does, with a fraction where the value is whole (`20.0`), and an exponent from 1e16 on.
    /// What isn't finite becomes `NaN`, `Infinity` or `-Infinity`, which RFC 8259 doesn't have and Python's `json` does.
    public init(_ value: Double) {
        storage = .literal(Self.spelling(of: value))
    }

    /// Takes a literal that the parser has checked.
    init(checkedLiteral literal: String) {
        storage = .literal(literal)
    }

    /// The number as it is written.
    public var literal: String {
        switch storage {
        case .integer(let value): String(value)
        case .literal(let text): text
        }
    }

    /// The value as an integer; `nil` when it isn't whole or doesn't fit.
    public var int: Int? {
        switch storage {
        case .integer(let value): value
        case .literal(let text): Int(text) ?? Int(exactly: double)
        }
    }

    /// The nearest double; an infinity when the literal is out of range.
    public var double: Double {
        switch storage {
        case .integer(let value): Double(value)
        case .literal("NaN"): .nan
        case .literal("Infinity"): .infinity
        case .literal("-Infinity"): -.infinity
        case .literal(let text): Double(text) ?? .nan
        }
    }

    /// The value where the spelling is the usual one of an integer.
    var plainInteger: Int? {
        if case .integer(let value) = storage { value } else { nil }
    }

    private static func spelling(of value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity" }
        let text = value.description
        // Swift goes over to exponents at 2^54, Python at 1e16; between the two the digits have to be set again.
        guard value.magnitude >= 1e16, text.hasSuffix(".0") else { return text }
        var digits = Array(text.utf8.dropLast(2))
        let sign = digits.first == UInt8(ascii: "-") ? "-" : ""
        if !sign.isEmpty { digits.removeFirst() }
        let exponent = digits.count - 1
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let mantissa = String(decoding: digits, as: UTF8.self)
        return sign + mantissa.prefix(1) + (mantissa.count > 1 ? "." + mantissa.dropFirst() : "") + "e+\(exponent)"
    }
}

extension JSONNumber: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, CustomStringConvertible {
    /// Makes an integer.
    public init(integerLiteral value: Int) { self.init(value) }

    /// Makes a number with the shortest spelling.
    public init(floatLiteral value: Double) { self.init(value) }

    /// The number as it is written.
    public var description: String { literal }
}
