extension Timestamp {
    /// Reads the text form: `YYYY-MM-DDThh:mm:ss`, then maybe a fraction and a zone (RFC 3339, the zone being optional).
    ///
    /// Digits after the sixth of the fraction are dropped. `nil` when the text isn't of that form or the date doesn't exist.
    public init?(_ text: String) {
        var reader = TimestampReader(bytes: Array(text.utf8))
        guard let timestamp = reader.timestamp() else { return nil }
        self = timestamp
    }
}

extension Timestamp: CustomStringConvertible {
    /// The time as the log has it, for example `2026-11-22T19:54:37.878324`.
    public var description: String {
        var writer = ByteWriter(capacity: 32)
        writer.appendTimestamp(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension ByteWriter {
    /// Appends the text form of a time.
    mutating func appendTimestamp(_ timestamp: Timestamp) {
        let seconds = timestamp.wallMicroseconds.flooredQuotient(1_000_000)
        let fraction = timestamp.wallMicroseconds - seconds * 1_000_000
        appendSecond(seconds) { writer in
            let days = seconds.flooredQuotient(86_400)
            let date = CivilDate(daysSince1970: days)
            writer.appendTwoDigits(date.year / 100)
            writer.appendTwoDigits(date.year % 100)
            writer.append(UInt8(ascii: "-"))
            writer.appendTwoDigits(date.month)
            writer.append(UInt8(ascii: "-"))
            writer.appendTwoDigits(date.day)
            writer.append(UInt8(ascii: "T"))
            writer.appendTime(seconds - days * 86_400, withSeconds: true)
        }
        if fraction != 0 {
            append(UInt8(ascii: "."))
            appendTwoDigits(fraction / 10_000)
            appendTwoDigits(fraction / 100 % 100)
            appendTwoDigits(fraction % 100)
        }
        switch timestamp.zone {
        case .local: break
        case .utc: append(UInt8(ascii: "Z"))
        case .offset(let offset):
            append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
            appendTime(Int64(offset.magnitude), withSeconds: offset % 60 != 0)
        }
    }

    private mutating func appendTime(_ seconds: Int64, withSeconds: Bool) {
        appendTwoDigits(seconds / 3600)
        append(UInt8(ascii: ":"))
        appendTwoDigits(seconds / 60 % 60)
        guard withSeconds else { return }
        append(UInt8(ascii: ":"))
        appendTwoDigits(seconds % 60)
    }

    private mutating func appendTwoDigits(_ value: Int64) {
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / 10 % 10))
        append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value % 10))
    }
}

/// A date of the Gregorian calendar, which ISO 8601 extends to all times.
///
/// The conversions count in eras of 400 years that begin on a first of March, so that the leap day comes last.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.flooredQuotient(400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

/// Reads the text form of a time.
private struct TimestampReader {
    let bytes: [UInt8]
    var position = 0

    mutating func timestamp() -> Timestamp? {
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2),
            take("T") || take("t") || take(" "),
            let hour = digits(2), take(":"), let minute = digits(2), take(":"), let second = digits(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        guard CivilDate(daysSince1970: days).day == day else { return nil }
        guard let fraction = fraction(), let zone = zone(), position == bytes.count else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second
        return Timestamp(wallMicroseconds: seconds * 1_000_000 + fraction, zone: zone)
    }

    private mutating func fraction() -> Int64? {
        guard take(".") || take(",") else { return 0 }
        var value: Int64 = 0
        var count = 0
        while let digit = digits(1) {
            if count < 6 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    private mutating func zone() -> Timestamp.Zone? {
        if position == bytes.count { return .local }
        if take("Z") || take("z") { return .utc }
        let isNegative = take("-")
        guard isNegative || take("+"), let hours = digits(2) else { return nil }
        var seconds = Int32(hours) * 3600
        if position < bytes.count {
            _ = take(":")
            guard let minutes = digits(2), minutes < 60 else { return nil }
            seconds += Int32(minutes) * 60
        }
        if position < bytes.count {
            _ = take(":")
            guard let rest = digits(2), rest < 60 else { return nil }
            seconds += Int32(rest)
        }
        return .offset(isNegative ? -seconds : seconds)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func digits(_ count: Int) -> Int64? {
        guard position + count <= bytes.count else { return nil }
        var value: Int64 = 0
        for byte in bytes[position..<(position + count)] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        position += count
        return value
    }
}
