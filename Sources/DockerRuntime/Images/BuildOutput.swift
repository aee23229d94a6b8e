import ActionExecutionClient

/// What a build has written so far: the lines, and the step that it is at.
///
/// A value without I/O.
struct BuildOutput {
    /// How many of the last lines an error tells.
    private static let keptLineCount = 20

    /// A line, with the step that it belongs to.
    struct Line: Hashable {
        var text: String
        var progress: RuntimeStatusUpdate.Progress?
    }

    /// The instruction that is being carried out, such as `RUN apt-get update`.
    private(set) var step: String?
    private var progress: RuntimeStatusUpdate.Progress?
    private var unfinished = ""
    private var lines: [String] = []

    /// The last lines.
    var end: String {
        (lines + (unfinished.isEmpty ? [] : [unfinished])).suffix(Self.keptLineCount).joined(separator: "\n")
    }

    /// Takes a piece of the output and returns the lines that it completes, without empty ones.
    mutating func receive(_ text: String) -> [Line] {
        var completed: [Line] = []
        // A carriage return begins a line anew, as programs do that show how far they are.
        for character in text {
            if character == "\n" || character == "\r" || character == "\r\n" {
                if let line = finishLine() { completed.append(line) }
            } else {
                unfinished.append(character)
            }
        }
        return completed
    }

    private mutating func finishLine() -> Line? {
        defer { unfinished = "" }
        guard unfinished.contains(where: { !$0.isWhitespace }) else { return nil }
        if let (number, total, instruction) = Self.step(unfinished) {
            step = instruction
            progress = RuntimeStatusUpdate.Progress(completed: number - 1, total: total)
        }
        lines = (lines + [unfinished]).suffix(Self.keptLineCount)
        return Line(text: unfinished, progress: progress)
    }

    /// Reads `Step 2/5 : RUN make`, as Docker has it, or `STEP 2/5: RUN make`, as Podman.
    private static func step(_ line: String) -> (number: Int, total: Int, instruction: String)? {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0].lowercased() == "step" else { return nil }
        let numbers = words[1].split(separator: "/").map { Int($0.filter { $0 != ":" }) }
        guard numbers.count == 2, let number = numbers[0], let total = numbers[1] else { return nil }
        return (number, total, String(words[2].drop { $0 == ":" || $0 == " " }))
    }
}
