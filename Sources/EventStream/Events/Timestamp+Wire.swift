extension Timestamp: WireValue {
    static var expectation: String { "a time such as \"2026-11-22T19:54:37.878324\"" }

    init?(wire: JSONValue) {
        guard case .string(let text) = wire else { return nil }
        self.init(text)
    }

    var wire: JSONValue { .string(description) }

    func write(to writer: inout ByteWriter) {
        writer.append(UInt8(ascii: "\""))
        writer.appendTimestamp(self)
        writer.append(UInt8(ascii: "\""))
    }

    /// Reads the local form that this version writes; the others are read by way of ``Timestamp/init(_:)``.
    init?(reading reader: inout CanonicalReader) {
        guard let inside = reader.skipString(), inside.count == 26 || inside.count == 19 else { return nil }
        let text = reader.base + inside.lowerBound
        var isValid = true
        func digits(_ start: Int, _ count: Int) -> Int64 {
            var value: Int64 = 0
            for index in start..<(start &+ count) {
                let digit = text[index] &- UInt8(ascii: "0")
                if digit > 9 { isValid = false }
                value = value &* 10 &+ Int64(digit)
            }
            return value
        }
        let (hour, minute, second) = (digits(11, 2), digits(14, 2), digits(17, 2))
        let date = CivilDate(year: digits(0, 4), month: digits(5, 2), day: digits(8, 2))
        let fraction = inside.count == 26 ? digits(20, 6) : 0
        guard isValid, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            inside.count == 19 || text[19] == UInt8(ascii: ".") && fraction != 0,
            (1...12).contains(date.month), hour < 24, minute < 60, second < 60
        else { return nil }
        let days = date.daysSince1970
        // Every month has the first 28 days; others are there when they come back as themselves.
        guard (1...28).contains(date.day) || CivilDate(daysSince1970: days).day == date.day else { return nil }
        self.init(wallMicroseconds: (days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000 + fraction)
    }

    func mask(with masker: SecretMasker) {}
}
