import EventStream

/// Reads all of a log, and reports what is damaged and what doesn't fit together.
struct LogVerification {
    private let log: String
    private let output: Output
    private let style = Style.detected

    init(_ log: String, _ output: Output) {
        self.log = log
        self.output = output
    }

    func run() throws -> LogCommand.Status {
        let reader = try SessionReader(log)
        let bar = ProgressBar("Verifying")
        defer { bar.clear() }
        var check = ConsistencyCheck(needsAll: reader.form.hasAllEvents)
        var problems = 0
        func report(_ problem: String) throws {
            bar.clear()
            problems += 1
            try output.write("\(style.red("✗")) \(problem)\n")
        }

        if case .missingEvents = reader.openingError, let error = reader.openingError { try report("\(error)") }
        for error in try reader.damageBesideEvents() { try report("\(error)") }
        for page in try reader.pages() {
            for entry in page.entries {
                switch entry {
                case .success(let event): for problem in check.add(event) { try report("\(log): \(problem)") }
                case .failure(let error):
                    check.addDamage()
                    try report("\(error)")
                }
            }
            bar.show(page.fraction)
        }
        for problem in check.passedOver { try report("\(log): \(problem)") }
        bar.clear()
        try summarize(reader.form, check, problems)
        return problems > 0 ? .bad : .good
    }

    private func summarize(_ form: SessionForm, _ check: ConsistencyCheck, _ problems: Int) throws {
        let mark = problems > 0 ? style.red("✗") : style.green("✓")
        let verdict =
            switch problems {
            case 0: "good"
            case 1: "1 problem"
            default: "\(problems) problems"
            }
        try output.write("\(mark) \(style.bold(log)): \(verdict)\n")
        var facts = ["\(form.name) with \(check.count) event\(check.count == 1 ? "" : "s")"]
        if let first = check.first, let last = check.last {
            facts[0] += ", \(first.id) to \(last.id)"
            facts.append("from \(first.timestamp) to \(last.timestamp)")
        }
        if check.leftOut > 0 { facts.append("\(check.leftOut) ids have no event, as this form may leave some out") }
        let unanswered = check.unanswered
        if !unanswered.isEmpty {
            let ids = unanswered.prefix(10).map(String.init).joined(separator: ", ")
            let rest = unanswered.count > 10 ? ", …" : ""
            facts.append("without an observation, at the end of what was done: \(ids)\(rest)")
        }
        for fact in facts { try output.write("  \(style.faint(fact))\n") }
    }
}

extension SessionForm {
    /// What people call it.
    var name: String {
        switch self {
        case .store: "session directory"
        case .lines: "file of one event per line"
        case .referenceSession: "session folder of OpenHands"
        case .trajectory: "trajectory"
        }
    }

    /// Whether it has all events of a session, and not only some.
    var hasAllEvents: Bool {
        switch self {
        case .store, .referenceSession: true
        case .lines, .trajectory: false
        }
    }
}
