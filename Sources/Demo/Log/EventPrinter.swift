import EventStream

/// Prints events, for people or as JSON lines.
struct EventPrinter {
    private static let shownLines = 12
    private static let shownCharacters = 400
    private static let indentation = String(repeating: " ", count: 8)

    private let output: Output
    private let options: LogOptions
    private let matcher: TextMatcher?
    private let style = Style.detected
    private var date = ""

    /// Makes a printer.
    ///
    /// - Parameter matcher: What is shown of a text: the lines that have it; `nil` for its first lines.
    init(_ output: Output, _ options: LogOptions, _ matcher: TextMatcher?) {
        self.output = output
        self.options = options
        self.matcher = matcher
    }

    mutating func print(_ event: Event) throws {
        guard !options.isJSON else {
            try output.write(line: event.jsonBytes())
            return
        }
        let text = EventText(event)
        try printHead(event, text)
        let thought = Self.lines(text.thought)
        let body = Self.lines(text.body)
        guard let matcher, !options.isFull else {
            try printLines(thought, bar: "✦", isFaint: true)
            try printLines(body, bar: "│", isFaint: false)
            return
        }
        let matching = body.filter { !matcher.ranges(in: String($0)).isEmpty }
        let matchingThought = thought.filter { !matcher.ranges(in: String($0)).isEmpty }
        try printLines(matchingThought, bar: "✦", isFaint: true)
        try printLines(matching, bar: "│", isFaint: false)
        if matching.isEmpty, matchingThought.isEmpty, matcher.ranges(in: text.headline).isEmpty {
            try printExcerpt(of: event, matcher)
        }
    }

    // MARK: Parts

    private mutating func printHead(_ event: Event, _ text: EventText) throws {
        // The text form is exact, whatever this machine's zone is.
        let time = event.timestamp.description
        let day = String(time.prefix(10))
        if day != date {
            try output.write("\(date.isEmpty ? "" : "\n")\(style.bold(day))\n")
            date = day
        }
        let symbol =
            switch text.outcome {
            case .good: style.green(text.symbol)
            case .bad: style.red(text.symbol)
            case .open: style.yellow(text.symbol)
            case nil: style.blue(text.symbol)
            }
        var line = Self.padded("\(event.id)", 6, isRight: true)
        line = "\(line)  \(style.faint(Self.clock(time)))  "
        line += "\(style.faint(Self.padded(event.source.rawValue.visible, 11)))  \(symbol) "
        line += "\(style.bold(Self.padded(event.kind.visible, 11)))  \(highlighted(cut(text.headline), isFaint: false))"
        if !text.detail.isEmpty { line += "  \(style.faint(cut(text.detail).visible))" }
        if let cause = event.cause { line += "  \(style.faint("← \(cause)"))" }
        while line.last == " " { line.removeLast() }
        try output.write(line + "\n")
    }

    private func printLines(_ lines: [Substring], bar: String, isFaint: Bool) throws {
        let shown = options.isFull ? lines.count : min(lines.count, Self.shownLines)
        for line in lines.prefix(shown) {
            try output.write("\(Self.indentation)\(style.faint(bar)) \(highlighted(cut(line), isFaint: isFaint))\n")
        }
        if shown < lines.count {
            let rest = "\(bar) … \(lines.count - shown) more lines; --full prints them"
            try output.write("\(Self.indentation)\(style.faint(rest))\n")
        }
    }

    /// Prints what is around a match that isn't in what people read of the event.
    private func printExcerpt(of event: Event, _ matcher: TextMatcher) throws {
        let json = String(decoding: event.jsonBytes(), as: UTF8.self)
        guard let range = matcher.ranges(in: json).first else { return }
        let start = json.index(range.lowerBound, offsetBy: -60, limitedBy: json.startIndex) ?? json.startIndex
        let end = json.index(range.upperBound, offsetBy: 60, limitedBy: json.endIndex) ?? json.endIndex
        let lead = start > json.startIndex ? "…" : ""
        let tail = end < json.endIndex ? "…" : ""
        let excerpt = lead + json[start..<end] + tail
        try output.write("\(Self.indentation)\(style.faint("{}")) \(highlighted(cut(excerpt), isFaint: true))\n")
    }

    // MARK: Text

    private func cut(_ text: some StringProtocol) -> String {
        guard !options.isFull, text.utf8.count > Self.shownCharacters else { return String(text) }
        let count = text.count
        guard count > Self.shownCharacters else { return String(text) }
        return text.prefix(Self.shownCharacters) + " … \(count - Self.shownCharacters) more characters"
    }

    /// The text with what matches set off.
    private func highlighted(_ text: String, isFaint: Bool) -> String {
        func plain(_ part: Substring) -> String {
            isFaint && !part.isEmpty ? style.faint(String(part).visible) : String(part).visible
        }
        guard style.isColoured, let ranges = matcher?.ranges(in: text), !ranges.isEmpty else { return plain(text[...]) }
        var result = ""
        var end = text.startIndex
        for range in ranges {
            result += plain(text[end..<range.lowerBound]) + style.red(style.bold(String(text[range]).visible))
            end = range.upperBound
        }
        return result + plain(text[end...])
    }

    private static func lines(_ text: String) -> [Substring] {
        guard !text.isEmpty else { return [] }
        var lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    /// The time of day to the millisecond, with its zone where it has one.
    private static func clock(_ time: String) -> String {
        let clock = time.dropFirst(11)
        let seconds = clock.prefix(8)
        var rest = clock.dropFirst(8)
        var fraction = Substring("000")
        if rest.first == "." {
            rest = rest.dropFirst()
            fraction = rest.prefix { $0.isNumber }
            rest = rest.dropFirst(fraction.count)
        }
        return "\(seconds).\(fraction.prefix(3))\(rest)"
    }

    private static func padded(_ text: String, _ width: Int, isRight: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return isRight ? space + text : text + space
    }
}

extension String {
    /// The text with signs in place of control characters, which a terminal would obey.
    var visible: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var result = UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x09: result.append(scalar)
            // Pictures of the control characters (Unicode, block "Control Pictures").
            case 0..<0x20: result.append(Unicode.Scalar(0x2400 + scalar.value) ?? "\u{fffd}")
            case 0x7f: result.append("\u{2421}")
            case 0x80..<0xa0: result.append("\u{fffd}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { value < 0x20 && value != 0x09 || (0x7f..<0xa0).contains(value) }
}
