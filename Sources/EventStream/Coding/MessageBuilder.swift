/// What a message is put together with: as a string, or as JSON without making the string first.
protocol MessageBuilder: ~Copyable {
    mutating func literal(_ text: StaticString)
    mutating func text(_ text: String)
    mutating func number(_ value: Int)
}

/// Makes a message as a string.
struct MessageString: MessageBuilder {
    var string = ""

    mutating func literal(_ text: StaticString) { string += "\(text)" }
    mutating func text(_ text: String) { string += text }
    mutating func number(_ value: Int) { string += String(value) }
}

/// Writes a message as the inside of a JSON string.
extension ByteWriter: MessageBuilder {
    mutating func literal(_ text: StaticString) {
        appendEscaped(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func text(_ text: String) { appendEscaped(text) }

    mutating func number(_ value: Int) { append(value) }
}

extension ActionRecord {
    /// The line that people see, as the reference words it.
    var message: String {
        var builder = MessageString()
        buildMessage(&builder)
        return builder.string
    }
}

extension ObservationRecord {
    /// The line that people see, as the reference words it.
    var message: String {
        var builder = MessageString()
        buildMessage(&builder)
        return builder.string
    }
}
