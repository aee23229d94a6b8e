import EventStream

/// A header field's value with parameters: `form-data; name="file"; filename="a b"` (RFC 9110, section 5.6.6).
///
/// Values are bytes: file names are, and clients send them as they are.
struct HeaderParameters {
    /// What stands before the parameters, in lower case.
    let value: [UInt8]
    private var parameters: [(name: String, value: [UInt8])] = []

    init(_ field: [UInt8]) {
        var rest = field[...]
        value = Self.trimmed(rest.prefix { $0 != UInt8(ascii: ";") }).map(Self.lowercased)
        rest = rest.dropFirst(rest.prefix { $0 != UInt8(ascii: ";") }.count)
        while rest.popFirst() != nil {
            let name = Self.trimmed(rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") })
            rest = rest.drop { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            guard rest.first == UInt8(ascii: "=") else { continue }
            rest = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
            let value = Self.takeValue(&rest)
            parameters.append((String(decoding: name.map(Self.lowercased), as: UTF8.self), value))
        }
    }

    /// The first parameter of a name, which is given in lower case.
    subscript(name: String) -> [UInt8]? {
        parameters.first { $0.name == name }?.value
    }

    /// The first parameter of a name in the form of RFC 8187: `filename*=UTF-8''a%20b`.
    func extended(_ name: String) -> [UInt8]? {
        guard let value = self[name + "*"] else { return nil }
        let parts = value.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].map(Self.lowercased).elementsEqual("utf-8".utf8) else { return nil }
        return PercentCoding.decode(parts[2])
    }

    /// A token or a quoted string, and takes what is between it and the next parameter.
    ///
    /// Of backslashes, only those before a quote or another one escape: some clients send them as they are.
    private static func takeValue(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
        guard rest.first == quote else {
            let value = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(value.count)
            return Array(trimmed(value))
        }
        rest = rest.dropFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst(), byte != quote {
            if byte == backslash, let next = rest.first, next == quote || next == backslash {
                value.append(next)
                rest = rest.dropFirst()
            } else {
                value.append(byte)
            }
        }
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        return value
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes = bytes.dropLast() }
        return bytes
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

/// The parameters of a request's target, as forms send them.
struct QueryParameters {
    private let parameters: [(name: [UInt8], value: [UInt8])]

    init(target: String) {
        let query = target.utf8.drop { $0 != UInt8(ascii: "?") }.dropFirst()
        parameters = query.split(separator: UInt8(ascii: "&")).map { pair in
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            return (Self.decode(name), Self.decode(pair.dropFirst(name.count + 1)))
        }
    }

    /// The last value of a name: as the reference takes it.
    subscript(name: String) -> [UInt8]? {
        parameters.last { $0.name.elementsEqual(name.utf8) }?.value
    }

    private static func decode(_ text: Substring.UTF8View) -> [UInt8] {
        PercentCoding.decode(text.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 })
    }
}
