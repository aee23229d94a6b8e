import EventStream

extension Settings.Setting {
    /// The value as text.
    func string() throws(ConfigurationError) -> String {
        guard let text = value.stringValue else { throw invalid("a string") }
        return text
    }

    /// The value as a truth value.
    func bool() throws(ConfigurationError) -> Bool {
        guard isText else {
            guard let bool = value.boolValue else { throw invalid("true or false, without quotes") }
            return bool
        }
        switch value.stringValue?.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: throw invalid("true or false")
        }
    }

    /// The value as a whole number within a range.
    func integer(in range: ClosedRange<Int>, _ what: String) throws(ConfigurationError) -> Int {
        let number = isText ? value.stringValue.flatMap { Int($0) } : value.intValue
        guard let number, range.contains(number) else { throw invalid(what) }
        return number
    }

    /// The value as a time in seconds that can be waited for.
    func seconds() throws(ConfigurationError) -> Double {
        let number = isText ? value.stringValue.flatMap { Double($0) } : value.doubleValue
        guard let number, number > 0, number <= 1e9 else { throw invalid("a number of seconds above 0") }
        return number
    }

    /// The value as a port.
    func port() throws(ConfigurationError) -> Int {
        try integer(in: 1...65535, "a port from 1 to 65535")
    }

    /// The value as a list of strings.
    func strings() throws(ConfigurationError) -> [String] {
        let allowed = "a list of strings, such as [\"a\", \"b\"]"
        guard let elements = try literal(allowed).arrayValue else { throw invalid(allowed) }
        var strings: [String] = []
        for element in elements {
            guard let string = element.stringValue, !string.isEmpty else { throw invalid(allowed) }
            strings.append(string)
        }
        return strings
    }

    /// The value as environment variables.
    ///
    /// Values may be secret and are in no error.
    func variables() throws(ConfigurationError) -> [String: String] {
        let allowed = "an object of strings, such as {\"NAME\": \"value\"}"
        guard let object = try literal(allowed, isSecret: true).objectValue else {
            throw invalid(allowed, isSecret: true)
        }
        var variables: [String: String] = [:]
        for (key, value) in object {
            guard let text = value.stringValue, EnvironmentVariable.isName(key), !text.contains("\0") else {
                throw .invalidValue(
                    setting: name,
                    value: "not shown, where \(key) is no variable's name or has no string",
                    allowed: allowed
                )
            }
            variables[key] = text
        }
        return variables
    }

    /// The value as an object.
    func object() throws(ConfigurationError) -> JSONObject {
        let allowed = "an object, such as {\"mem_limit\": \"8g\"}"
        guard let object = try literal(allowed).objectValue else { throw invalid(allowed) }
        return object
    }

    /// The value with the text of a variable read as JSON or as the Python literal that the reference wants there.
    private func literal(_ allowed: String, isSecret: Bool = false) throws(ConfigurationError) -> SettingValue {
        guard isText, let text = value.stringValue else { return value }
        if let value = try? JSONValue(parsing: text) { return value }
        guard let value = PythonLiteral.value(of: text[...]) else { throw invalid(allowed, isSecret: isSecret) }
        return value
    }
}

/// What may be the name of an environment variable.
enum EnvironmentVariable {
    /// Whether a shell can assign to it (POSIX, Base Definitions 3.235).
    static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
