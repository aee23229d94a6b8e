/// The records of a zip archive as bytes, after PKWARE's APPNOTE.TXT 6.3.10.
///
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
enum ZipRecord {
    static let localHeader: UInt32 = 0x0403_4b50
    static let dataDescriptor: UInt32 = 0x0807_4b50
    static let centralHeader: UInt32 = 0x0201_4b50
    static let zip64End: UInt32 = 0x0606_4b50
    static let zip64Locator: UInt32 = 0x0706_4b50
    static let end: UInt32 = 0x0605_4b50

    static let localHeaderSize = 30
    static let centralHeaderSize = 46
    static let zip64EndSize = 56
    static let zip64LocatorSize = 20
    static let endSize = 22
    static let commentLimit = 0xffff

    /// General purpose bits (4.4.4).
    enum Flag {
        static let encrypted: UInt16 = 1 << 0
        static let dataDescriptor: UInt16 = 1 << 3
        static let patch: UInt16 = 1 << 5
        static let strongEncryption: UInt16 = 1 << 6
        static let utf8: UInt16 = 1 << 11
        static let maskedHeaders: UInt16 = 1 << 13
    }

    /// Compression methods (4.4.5) that are read and written here.
    enum Method {
        static let stored: UInt16 = 0
        static let deflated: UInt16 = 8
    }

    /// Extra fields (4.5): sizes beyond 32 bits, and Info-ZIP's times in UTC.
    enum Extra {
        static let zip64: UInt16 = 0x0001
        static let timestamp: UInt16 = 0x5455
    }

    /// File types in the high half of the external attributes, as in a Unix mode.
    enum UnixMode {
        static let typeMask: UInt16 = 0o170000
        static let folder: UInt16 = 0o040000
        static let file: UInt16 = 0o100000
        static let symbolicLink: UInt16 = 0o120000
    }
}

extension [UInt8] {
    /// Appends a number with its lowest byte first, as all numbers of a zip archive are.
    mutating func append<Number: FixedWidthInteger>(little number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
}

/// Takes numbers and bytes from the front of a record.
struct RecordParser {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The next number; nil when there are too few bytes.
    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type = Number.self) -> Number? {
        guard let bytes = bytes(Number.bitWidth / 8) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    /// The next bytes; nil when there are fewer.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

/// A point in time as MS-DOS has it: to two seconds, from 1980 to 2107.
///
/// It has no time zone; here it is UTC, and the exact time is in an extra field beside it.
struct DOSTime: Equatable {
    var time: UInt16
    var date: UInt16

    /// - Parameter seconds: since 1970.
    init(_ seconds: Int64) {
        // 1980-01-01 and 2107-12-31T23:59:58.
        let seconds = min(max(seconds, 315_532_800), 4_354_819_198)
        let (days, rest) = (seconds / 86400, seconds % 86400)
        // Days to a date of the Gregorian calendar, by years that begin in March (Hinnant, "chrono-compatible low-level
        // date algorithms").
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        date = UInt16((year - 1980) << 9 | month << 5 | day)
        time = UInt16((rest / 3600) << 11 | (rest / 60 % 60) << 5 | (rest % 60) / 2)
    }
}
