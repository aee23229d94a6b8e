import ActionExecutionClient
import EventStream
import Foundation
import Synchronization

/// Prints what happens, as it happens: statuses, actions, their output, exit codes and durations.
final class Timeline: Sendable {
    private struct State {
        var started: [Int: Double] = [:]
        var origin: Double?
        /// A line with progress is shown that has no end yet.
        var hasOpenLine = false
        var counts = Counts()
    }

    /// What the summary says.
    struct Counts {
        var actions = 0
        var failures = 0
        /// Seconds from an action's event to its observation's, in all.
        var waiting = 0.0
    }

    private let state = Mutex(State())
    private let style: Style

    init(style: Style = .detected) {
        self.style = style
    }

    // MARK: What is shown

    /// Prints a heading.
    func title(_ text: String) {
        write("\n\(style.bold(text))\n\n")
    }

    /// Prints a line that belongs to no event.
    func note(_ text: String) {
        write("\(style.faint(text))\n")
    }

    /// Prints a status.
    ///
    /// Progress within one stays on its line, and is left out where the output is no terminal.
    func show(_ update: RuntimeStatusUpdate) {
        if let progress = update.progress {
            if style.isColoured { showProgress(update, progress) }
            return
        }
        let time = state.withLock { state in
            let now = Timestamp.now().secondsSince1970
            state.origin = state.origin ?? now
            return now - (state.origin ?? now)
        }
        let mark =
            update.level == .error ? style.red("●") : update.status == .ready ? style.green("●") : style.yellow("●")
        let name = Self.name(update.status)
        write("\(stamp(time)) \(mark) \(style.bold(name))\(update.message.isEmpty ? "" : "  \(update.message)")\n")
    }

    private func showProgress(_ update: RuntimeStatusUpdate, _ progress: RuntimeStatusUpdate.Progress) {
        let total = progress.total.map { " of \(Self.megabytes($0))" } ?? ""
        let line = "          \(style.yellow("●")) \(update.message)  \(Self.megabytes(progress.completed))\(total)"
        write("\r\u{1b}[K\(line)", opensLine: true)
    }

    private static func megabytes(_ bytes: Int) -> String {
        String(format: "%.1f MB", Double(bytes) / 1e6)
    }

    /// Prints an event.
    func show(_ event: Event) {
        let seconds = event.timestamp.secondsSince1970
        let (time, duration) = state.withLock { state -> (Double, Double?) in
            state.origin = state.origin ?? seconds
            var duration: Double?
            switch event.payload {
            case .action(let action):
                state.started[event.id] = seconds
                if action.isPerformed { state.counts.actions += 1 }
            case .observation(let observation):
                if let cause = event.cause, let start = state.started[cause] {
                    duration = seconds - start
                    state.counts.waiting += seconds - start
                }
                if observation.success == false { state.counts.failures += 1 }
            }
            return (seconds - (state.origin ?? seconds), duration)
        }
        switch event.payload {
        case .action(let action): show(action, at: time, source: event.source)
        case .observation(let observation): show(observation, duration: duration)
        }
    }

    /// What was counted so far.
    var counts: Counts { state.withLock { $0.counts } }

    // MARK: Actions

    private func show(_ action: Action, at time: Double, source: EventSource) {
        switch action {
        case .run(let run):
            line(time, "$", run.isInput ? "type" : "run", run.command)
        case .write(let write):
            line(
                time,
                "✎",
                "write",
                "\(write.path)  \(style.faint("\(write.content.split(separator: "\n").count) lines"))"
            )
        case .read(let read):
            line(time, "▤", "read", read.path)
        case .edit(let edit):
            line(time, "✎", "edit", "\(edit.path)  \(style.faint(edit.command))")
        case .message(let message):
            line(time, source == .user ? "☺" : "✦", source.rawValue, message.content)
        case .think(let think):
            line(time, "✦", "think", think.thought)
        case .finish(let finish):
            line(time, "■", "finish", finish.finalThought)
        default:
            line(time, "▸", action.kind, "")
        }
    }

    private func line(_ time: Double, _ symbol: String, _ kind: String, _ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let padded = kind.padding(toLength: 7, withPad: " ", startingAt: 0)
        write("\(stamp(time)) \(style.blue(symbol)) \(style.bold(padded)) \(lines.first ?? "")\n")
        for line in lines.dropFirst() { write("\(Self.indentation)\(line)\n") }
    }

    // MARK: Observations

    private func show(_ observation: Observation, duration: Double?) {
        let took = duration.map { style.faint(Self.format($0)) } ?? ""
        switch observation {
        case .run(let run):
            output(run.content)
            let code = run.metadata.exitCode
            let mark =
                code == 0
                ? style.green("✓ exit 0") : code == -1 ? style.yellow("… running") : style.red("✗ exit \(code)")
            write("\(Self.indentation)\(mark)  \(took)\n")
        case .edit(let edit):
            output(edit.content)
            write("\(Self.indentation)\(style.green("✓"))  \(took)\n")
        case .read(let read):
            output(read.content)
            write("\(Self.indentation)\(style.green("✓"))  \(took)\n")
        case .error(let error):
            output(error.content)
            write("\(Self.indentation)\(style.red("✗ error"))  \(took)\n")
        case .think:
            break
        default:
            write("\(Self.indentation)\(style.green("✓"))  \(took)\n")
        }
    }

    private func output(_ text: String) {
        guard !text.isEmpty else { return }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines.prefix(12) { write("\(Self.indentation)\(style.faint("│")) \(line)\n") }
        if lines.count > 12 { write("\(Self.indentation)\(style.faint("│ … \(lines.count - 12) more lines"))\n") }
    }

    // MARK: Text

    private static let indentation = String(repeating: " ", count: 11)

    private func stamp(_ seconds: Double) -> String {
        style.faint(String(format: "%7.3f s", seconds))
    }

    private static func format(_ seconds: Double) -> String {
        seconds < 1 ? String(format: "%.1f ms", seconds * 1000) : String(format: "%.2f s", seconds)
    }

    private static func name(_ status: RuntimeStatus) -> String {
        switch status {
        case .building: "getting the image"
        case .starting: "starting"
        case .started: "container started"
        case .ready: "ready"
        case .stopped: "stopped"
        case .disconnected: "disconnected"
        default: status.rawValue
        }
    }

    private func write(_ text: String, opensLine: Bool = false) {
        let endsLine = state.withLock { state in
            defer { state.hasOpenLine = opensLine }
            return state.hasOpenLine && !opensLine
        }
        let text = endsLine ? "\n" + text : text
        // A reader that went away, such as `head`, must not end the demo before the sandbox is gone.
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
