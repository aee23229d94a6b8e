import EventStream

/// What people read of an event.
struct EventText {
    /// How an event ended, where that can be said.
    enum Outcome {
        case good
        case bad
        case open
    }

    /// A sign for the kind.
    var symbol = "▸"
    var outcome: Outcome?
    /// The first line: what was done, or how it went.
    var headline: String
    /// What belongs to the first line and is less important.
    var detail = ""
    /// Why the agent did it.
    var thought = ""
    /// All else.
    var body = ""

    init(_ event: Event) {
        switch event.payload {
        case .action(let action): self.init(action, source: event.source)
        case .observation(let observation): self.init(observation)
        }
    }

    private init(symbol: String = "▸", _ headline: String, detail: String = "", thought: String = "", body: String = "")
    {
        self.symbol = symbol
        self.detail = detail
        self.thought = thought
        // A text of several lines begins beside its kind.
        let lines = headline.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        self.headline = lines.first.map(String.init) ?? ""
        let rest = lines.count > 1 ? String(lines[1]) : ""
        self.body = rest.isEmpty || body.isEmpty ? rest + body : rest + "\n" + body
    }

    private init(_ action: Action, source: EventSource) {
        switch action {
        case .message(let message):
            self.init(symbol: source == .user ? "☺" : "✦", message.content)
        case .run(let run):
            self.init(symbol: "$", run.command, detail: run.isInput ? "input" : "", thought: run.thought)
        case .runIPython(let cell):
            self.init(symbol: "$", cell.code, thought: cell.thought)
        case .read(let read):
            self.init(symbol: "▤", read.path, thought: read.thought)
        case .write(let write):
            self.init(
                symbol: "✎",
                write.path,
                detail: Self.lines(write.content),
                thought: write.thought,
                body: write.content
            )
        case .edit(let edit):
            self.init(
                symbol: "✎",
                edit.path,
                detail: edit.command,
                thought: edit.thought,
                body: edit.newString ?? edit.fileText ?? edit.content
            )
        case .browse(let browse):
            self.init(symbol: "◎", browse.url, thought: browse.thought)
        case .browseInteractive(let browse):
            self.init(symbol: "◎", browse.browserActions, thought: browse.thought)
        case .callToolMCP(let call):
            self.init(symbol: "⚙", "\(call.name) \(call.arguments)", thought: call.thought)
        case .think(let think):
            self.init(symbol: "✦", think.thought)
        case .finish(let finish):
            self.init(symbol: "■", finish.finalThought.isEmpty ? finish.thought : finish.finalThought)
        case .changeAgentState(let change):
            self.init(change.agentState, thought: change.thought)
        case .other(let other):
            self.init(action.message, body: other.args.map(\.description) ?? "")
        default:
            self.init(action.message)
        }
    }

    private init(_ observation: Observation) {
        switch observation {
        case .run(let run):
            let code = run.metadata.exitCode
            self.init(
                code == -1 ? "still running" : "exit \(code)",
                detail: run.metadata.workingDirectory.map { "in \($0)" } ?? "",
                body: run.content
            )
            outcome = code == 0 ? .good : code == -1 ? .open : .bad
        case .error(let error):
            self.init(error.content)
            outcome = .bad
        case .read(let read): self.init(read.path, detail: Self.lines(read.content), body: read.content)
        case .write(let write): self.init(write.path, body: write.content)
        case .edit(let edit): self.init(edit.path, body: edit.diff ?? edit.content)
        case .browse(let browse): self.init(browse.url, body: browse.content)
        case .agentStateChanged(let change): self.init(change.agentState, detail: change.reason)
        case .runIPython(let cell): self.init(cell.content)
        case .other(let other):
            self.init(observation.message, body: other.content?.stringValue ?? other.extras?.description ?? "")
        default:
            let message = observation.message
            self.init(message, body: observation.content == message ? "" : observation.content)
        }
        symbol = "◂"
        switch outcome ?? (observation.success == false ? .bad : nil) {
        case .good: symbol = "✓"
        case .bad: symbol = "✗"
        case .open: symbol = "…"
        case nil: break
        }
    }

    private static func lines(_ text: String) -> String {
        let count = text.split(separator: "\n", omittingEmptySubsequences: false).count - (text.hasSuffix("\n") ? 1 : 0)
        return text.isEmpty ? "empty" : count == 1 ? "1 line" : "\(count) lines"
    }
}
