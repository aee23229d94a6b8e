#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Text that isn't what this version writes, though it may be a good event: it is to be read by way of ``JSONValue``.
struct NotCanonical: Error {}

/// Reads text that is laid out exactly as ``ByteWriter`` writes it: each part is expected at its place, so nothing has to be searched for.
struct CanonicalReader: ~Copyable {
    let base: UnsafePointer<UInt8>
    let count: Int
    private(set) var position = 0
    /// The byte that the next member of the record comes after.
    private var separator = UInt8(ascii: "{")
    /// For text that is written to be compared.
    var scratch = ByteWriter(capacity: 256)

    /// Reads from bytes that must outlive the reader.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return nil }
        self.base = base
        count = bytes.count
    }

    var isAtEnd: Bool { position == count }

    // MARK: Punctuation

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard position < count, base[position] == byte else { return false }
        position &+= 1
        return true
    }

    @inline(__always)
    mutating func take(_ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard count &- position >= length, memcmp(base + position, literal.utf8Start, length) == 0 else { return false }
        position &+= length
        return true
    }

    /// Takes a member's name with its quotes and colon.
    @inline(__always)
    mutating func takeKey(_ key: StaticString) -> Bool {
        let length = key.utf8CodeUnitCount
        guard count &- position >= length &+ 3, base[position] == UInt8(ascii: "\""),
            base[position &+ length &+ 1] == UInt8(ascii: "\""), base[position &+ length &+ 2] == UInt8(ascii: ":"),
            memcmp(base + position + 1, key.utf8Start, length) == 0
        else { return false }
        position &+= length &+ 3
        return true
    }

    // MARK: Values

    /// The next byte, without taking it.
    @inline(__always)
    var next: UInt8 { position < count ? base[position] : 0 }

    mutating func integer() -> Int? {
        let start = position
        let isNegative = take(UInt8(ascii: "-"))
        let first = position
        var value = 0
        while position < count {
            let digit = base[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ Int(digit)
            position &+= 1
        }
        let digits = position &- first
        guard digits > 0, digits <= 18, base[first] != UInt8(ascii: "0") || (digits == 1 && !isNegative) else {
            position = start
            return nil
        }
        return isNegative ? -value : value
    }

    mutating func double() -> Double? {
        let start = position
        while position < count {
            switch base[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"):
                position &+= 1
                continue
            default: break
            }
            break
        }
        let text = UnsafeBufferPointer(start: base + start, count: position - start)
        // Whole seconds are the rule.
        if text.count >= 3, text.count <= 12, text[text.count - 1] == UInt8(ascii: "0"),
            text[text.count - 2] == UInt8(ascii: ".")
        {
            let end = position
            position = start
            if let whole = integer(), position == end - 2 {
                position = end
                return Double(whole)
            }
            position = end
        }
        let literal = String(decoding: text, as: UTF8.self)
        guard let value = Double(literal), JSONNumber(value).literal == literal else { return nil }
        return value
    }

    mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = position
        position = SWAR.endOfPlain(base, from: start, to: count)
        if position < count, base[position] == UInt8(ascii: "\"") {
            let text = UnsafeBufferPointer(start: base + start, count: position &- start)
            position &+= 1
            return text.isEmpty ? "" : String(utf8: text)
        }
        position = start
        return try? StringWithEscapes.read(base, count, &position)
    }

    /// Passes a string and returns where its inside begins and ends.
    mutating func skipString() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = position
        while position < count {
            while position &+ 8 <= count {
                let special = SWAR.special(SWAR.load(base + position))
                if special != 0 {
                    position &+= special.trailingZeroBitCount / 8
                    break
                }
                position &+= 8
            }
            guard position < count else { return nil }
            switch base[position] {
            case UInt8(ascii: "\""):
                position &+= 1
                return start..<(position &- 1)
            case UInt8(ascii: "\\"): position &+= 2
            case 0..<0x20: return nil
            default: position &+= 1
            }
        }
        return nil
    }

    /// Any value, by way of the parser.
    mutating func value() -> JSONValue? {
        guard position < count else { return nil }
        var parser = JSONParser(UnsafeBufferPointer(start: base + position, count: count - position), maximumDepth: 500)
        guard let value = try? parser.value(depth: 0) else { return nil }
        position += parser.position
        return value
    }

    /// Whether the inside of a string is a message, given by what builds it.
    mutating func text(at range: Range<Int>, isWrittenBy build: (inout ByteWriter) -> Void) -> Bool {
        scratch.removeAll()
        build(&scratch)
        guard scratch.count == range.count, let written = scratch.bytes.baseAddress else { return false }
        return memcmp(written, base + range.lowerBound, range.count) == 0
    }
}

extension CanonicalReader: FieldVisitor {
    @inline(__always)
    mutating func field<Value: WireValue>(
        _ key: StaticString,
        _ value: inout Value,
        isRequired: Bool
    ) throws(NotCanonical) {
        guard take(separator), takeKey(key), let read = Value(reading: &self) else { throw NotCanonical() }
        value = read
        separator = UInt8(ascii: ",")
    }

    mutating func record<Record: WireRecord>(_ key: StaticString, _ record: inout Record) throws(NotCanonical) {
        guard take(separator), takeKey(key) else { throw NotCanonical() }
        record = try self.record()
        separator = UInt8(ascii: ",")
    }

    /// Reads a record that has all its fields in order and no others.
    mutating func record<Record: WireRecord>() throws(NotCanonical) -> Record {
        var record = Record.blank
        separator = UInt8(ascii: "{")
        try record.visitFields(&self)
        guard separator == UInt8(ascii: ",") || take(UInt8(ascii: "{")), take(UInt8(ascii: "}")) else {
            throw NotCanonical()
        }
        return record
    }
}
