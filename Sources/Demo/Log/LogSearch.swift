import EventStream

/// Prints the events of a log that are wanted, and then what is damaged in it.
struct LogSearch {
    /// Damaged places that are told of one by one; `verify` tells of all.
    private static let toldDamages = 10

    private let log: String
    private let options: LogOptions
    private let matcher: TextMatcher?
    private let output: Output

    /// Makes a search.
    ///
    /// - Parameter matcher: What to look for; `nil` for everything.
    init(_ log: String, _ options: LogOptions, matcher: TextMatcher?, _ output: Output) {
        self.log = log
        self.options = options
        self.matcher = matcher
        self.output = output
    }

    /// What came of a search.
    private struct Outcome {
        var count = 0
        var damages = 0
    }

    func show() throws -> LogCommand.Status {
        try search().damages > 0 ? .bad : .good
    }

    func grep() throws -> LogCommand.Status {
        let outcome = try search()
        if outcome.damages > 0 { return .failed }
        return outcome.count > 0 ? .good : .bad
    }

    private func search() throws -> Outcome {
        let reader = try SessionReader(log)
        var outcome = Outcome()
        var told: [EventStoreError] = []
        if case .missingEvents = reader.openingError { told += reader.openingError.map { [$0] } ?? [] }
        var printer = EventPrinter(output, options, matcher)
        // Events that scroll by show how far it is.
        let showsEvents = matcher == nil && output.isTerminal
        let bar = ProgressBar(matcher == nil ? "Reading" : "Searching", isWanted: !showsEvents)
        defer { bar.clear() }
        var filter = options.filter
        filter.text = matcher?.filterText
        reading: for page in try reader.pages(in: options.ids, reversed: options.isReversed, where: filter) {
            for entry in page.entries {
                guard outcome.count < options.limit else { break reading }
                switch entry {
                case .success(let event):
                    guard matcher?.matches(event) != false else { continue }
                    outcome.count += 1
                    guard !options.countsOnly else { continue }
                    if output.isTerminal { bar.clear() }
                    try printer.print(event)
                case .failure(let error):
                    outcome.damages += 1
                    if told.count < Self.toldDamages { told.append(error) }
                }
            }
            guard outcome.count < options.limit else { break }
            bar.show(page.fraction)
        }
        bar.clear()
        if options.countsOnly { try output.write("\(outcome.count)\n") }
        try output.flush()
        outcome.damages = max(outcome.damages, told.count)
        for error in told { Output.complain("\(error)") }
        if outcome.damages > told.count {
            Output.complain("\(outcome.damages - told.count) more places are damaged; log verify \(log) names all")
        }
        return outcome
    }
}
