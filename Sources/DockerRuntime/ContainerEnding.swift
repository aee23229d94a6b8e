/// How a container ended.
struct ContainerEnding: Sendable {
    /// What is known of who or what ended it.
    enum Cause: Sendable {
        /// The kernel killed its first process for want of memory.
        case outOfMemory
        /// The engine was asked to send it a signal.
        case signal(String)
    }

    /// Nil when it was removed before the engine could tell.
    var exitCode: Int?
    var cause: Cause?
    /// The last that its server wrote.
    var words: String

    /// What is made of an exit code and what was told before it.
    init(exitCode: Int?, record: ContainerRecord = ContainerRecord(), words: String) {
        self.exitCode = exitCode
        self.words = words
        cause =
            if let signal = record.signal { .signal(signal) } else if exitCode == 137, record.outOfMemoryCount > 0 {
                .outOfMemory
            } else { nil }
    }

    /// What comes after the container's name in a sentence.
    var description: String {
        let how = exitCode.map { "ended with exit code \($0)\(meaning(of: $0))" } ?? "was removed"
        return words.isEmpty ? how : "\(how): \(words)"
    }

    private func meaning(of code: Int) -> String {
        switch (cause, code) {
        case (.outOfMemory, _): " (it ran out of memory, and the system killed it)"
        case (.signal(let signal), 137...): " (somebody had the engine send it signal \(signal))"
        case (_, 137): " (killed, by somebody or for want of memory)"
        case (_, 143): " (asked to end)"
        default: ""
        }
    }
}
