#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A buffer that grows at its end, for writing many small pieces fast.
struct ByteWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0
    /// The last second that was written as text, and where that is kept.
    private var lastSecond = Int64.min
    private var lastSecondText: (UInt64, UInt64, UInt64) = (0, 0, 0)

    init(capacity: Int = 512) {
        base = .allocate(capacity: max(capacity, 16))
        self.capacity = max(capacity, 16)
    }

    deinit {
        base.deallocate()
    }

    /// The bytes written so far; valid until the next change.
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    /// Forgets the bytes and keeps the memory.
    mutating func removeAll() {
        count = 0
    }

    /// Forgets the bytes after the first ones.
    mutating func truncate(to count: Int) {
        self.count = min(count, self.count)
    }

    /// Gives back memory beyond what is usual, after an unusually large use.
    mutating func shrink(to capacity: Int) {
        guard count == 0, self.capacity > capacity else { return }
        base.deallocate()
        base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    @inline(__always)
    mutating func reserve(_ additional: Int) {
        if capacity &- count < additional { grow(additional) }
    }

    @inline(never)
    private mutating func grow(_ additional: Int) {
        let newCapacity = max(capacity * 2, count + additional)
        let new = UnsafeMutablePointer<UInt8>.allocate(capacity: newCapacity)
        memcpy(new, base, count)
        base.deallocate()
        base = new
        capacity = newCapacity
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func appendLiteral(_ literal: StaticString) {
        append(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        memcpy(base + count, source, bytes.count)
        count &+= bytes.count
    }

    /// Appends bytes that a function puts in place.
    @inline(__always)
    mutating func append(byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
        reserve(byteCount)
        fill(UnsafeMutableRawPointer(base + count))
        count &+= byteCount
    }

    /// Appends a member's name in quotes and the colon.
    @inline(__always)
    mutating func appendKey(_ key: StaticString) {
        let length = key.utf8CodeUnitCount
        reserve(length &+ 3)
        base[count] = UInt8(ascii: "\"")
        memcpy(base + count + 1, key.utf8Start, length)
        base[count &+ length &+ 1] = UInt8(ascii: "\"")
        base[count &+ length &+ 2] = UInt8(ascii: ":")
        count &+= length &+ 3
    }

    mutating func append(_ value: Int) {
        reserve(20)
        if value >= 0, value < 10 {
            base[count] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value)
            count &+= 1
            return
        }
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var length = 1
        var bound: UInt = 10
        while rest >= bound {
            length &+= 1
            if length == 20 { break }
            bound &*= 10
        }
        var position = count &+ length
        count = position
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            position &-= 1
            base[position] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest != 0
    }

    /// Appends the bytes of a string as they are.
    @inline(__always)
    mutating func appendRaw(_ string: String) {
        string.withUTF8Bytes { append($0) }
    }

    /// Appends a string in quotes, with escapes where JSON needs them.
    mutating func appendQuoted(_ string: String) {
        string.withUTF8Bytes { text in
            reserve(text.count &+ 2)
            append(UInt8(ascii: "\""))
            appendEscaped(text)
            append(UInt8(ascii: "\""))
        }
    }

    /// Appends text with escapes where JSON needs them.
    mutating func appendEscaped(_ string: String) {
        string.withUTF8Bytes { appendEscaped($0) }
    }

    mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
        guard let source = text.baseAddress else { return }
        let length = text.count
        var start = 0
        while start < length {
            let end = SWAR.endOfPlain(source, from: start, to: length)
            append(UnsafeBufferPointer(start: source + start, count: end &- start))
            guard end < length else { return }
            start = end &+ appendSpecial(source + end, length &- end)
        }
    }

    /// Appends the character there and returns how many bytes it has in the text.
    private mutating func appendSpecial(_ text: UnsafePointer<UInt8>, _ available: Int) -> Int {
        let byte = text[0]
        switch byte {
        case UInt8(ascii: "\""): appendLiteral("\\\"")
        case UInt8(ascii: "\\"): appendLiteral("\\\\")
        case 0x08: appendLiteral("\\b")
        case 0x0C: appendLiteral("\\f")
        case 0x0A: appendLiteral("\\n")
        case 0x0D: appendLiteral("\\r")
        case 0x09: appendLiteral("\\t")
        case LoneSurrogates.leadByte: return appendFourBytes(text, available)
        default: appendEscape(UInt32(byte))
        }
        return 1
    }

    private mutating func appendFourBytes(_ text: UnsafePointer<UInt8>, _ available: Int) -> Int {
        guard let scalar = LoneSurrogates.scalar(at: text, available: available) else {
            append(UnsafeBufferPointer(start: text, count: 4))
            return 4
        }
        if scalar != LoneSurrogates.escape {
            appendEscape(LoneSurrogates.surrogate(for: scalar))
            return 4
        }
        let isMarked = LoneSurrogates.scalar(at: text + 4, available: available - 4) != nil
        append(UnsafeBufferPointer(start: isMarked ? text + 4 : text, count: 4))
        return isMarked ? 8 : 4
    }

    private mutating func appendEscape(_ unit: UInt32) {
        appendLiteral("\\u")
        for shift in [12, 8, 4, 0] as [UInt32] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xF)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    /// Appends a value in the compact layout.
    mutating func appendValue(_ value: JSONValue) {
        switch value {
        case .null: appendLiteral("null")
        case .bool(let bool): appendLiteral(bool ? "true" : "false")
        case .number(let number):
            if let integer = number.plainInteger { append(integer) } else { appendRaw(number.literal) }
        case .string(let string): appendQuoted(string)
        case .array(let elements):
            append(UInt8(ascii: "["))
            var isFirst = true
            for element in elements {
                if !isFirst { append(UInt8(ascii: ",")) }
                isFirst = false
                appendValue(element)
            }
            append(UInt8(ascii: "]"))
        case .object(let object): appendObject(object)
        }
    }

    /// Appends an object in the compact layout.
    mutating func appendObject(_ object: JSONObject) {
        append(UInt8(ascii: "{"))
        appendMembers(object, isFirst: true)
        append(UInt8(ascii: "}"))
    }

    /// Appends members without the braces.
    mutating func appendMembers(_ object: JSONObject, isFirst: Bool) {
        var isFirst = isFirst
        for (key, value) in object {
            if !isFirst { append(UInt8(ascii: ",")) }
            isFirst = false
            appendQuoted(key)
            append(UInt8(ascii: ":"))
            appendValue(value)
        }
    }
}

extension ByteWriter {
    /// Appends the text of a second; a second has many events, so the last one's is kept.
    mutating func appendSecond(_ second: Int64, _ write: (inout ByteWriter) -> Void) {
        let length = 19
        guard second != lastSecond else {
            reserve(length)
            withUnsafeBytes(of: &lastSecondText) { text in
                guard let text = text.baseAddress else { return }
                _ = memcpy(base + count, text, length)
            }
            count &+= length
            return
        }
        let start = count
        write(&self)
        guard count == start + length else { return }
        let text = base + start
        withUnsafeMutableBytes(of: &lastSecondText) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: text, count: length))
        }
        lastSecond = second
    }
}
