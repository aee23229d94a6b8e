import EventStream

/// An agent that needs no language model: it does one small programming task, and goes by what it observes.
struct ScriptedAgent {
    /// Why the task was given up.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let stream: EventStream

    /// Writes a program and its test, and mends the program until the test passes.
    ///
    /// - Throws: ``Failure`` when the sandbox doesn't do what is asked, and the stream's errors.
    func run() async throws {
        try await stream.publish(
            .action(
                .message(MessageAction(content: "Write roman.sh, which prints a number as a Roman numeral. Test it."))
            ),
            source: .user
        )
        let system = try await command("uname -sm; id -un; pwd")
        try await say("I am in a sandbox: \(system.content.split(separator: "\n").joined(separator: ", ")).")

        try await write("test.sh", Self.test)
        try await write("roman.sh", Self.program(symbols: Self.firstSymbols))
        var result = try await command("sh test.sh")
        var attempts = 1
        while result.metadata.exitCode != 0 {
            guard attempts < 3 else { throw Failure(description: "the test still fails after \(attempts) attempts") }
            attempts += 1
            let wrong = Self.wrongNumbers(in: result.content)
            guard !wrong.isEmpty else { throw Failure(description: "the test failed, but not by a wrong numeral") }
            try await say(
                "The test fails for \(wrong.joined(separator: ", ")): numerals that subtract are missing. I add them."
            )
            try await write("roman.sh", Self.program(symbols: Self.allSymbols))
            result = try await command("sh test.sh")
        }
        try await command("for year in 476 1969 2025; do echo \"$year is $(sh roman.sh $year)\"; done")
        try await stream.publish(
            .finish(FinishAction(finalThought: "roman.sh passes its test after \(attempts) attempts.")),
            source: .agent
        )
    }

    // MARK: Acting

    private func say(_ thought: String) async throws {
        try await stream.publish(.think(ThinkAction(thought: thought)), source: .agent)
    }

    private func write(_ path: String, _ content: String) async throws {
        let observation = try await perform(.write(FileWriteAction(path: path, content: content)))
        guard case .write = observation else { throw Failure(description: "could not write \(path)") }
    }

    @discardableResult
    private func command(_ text: String) async throws -> CommandObservation {
        switch try await perform(.run(CommandAction(command: text)), timeout: 60) {
        case .run(let result): return result
        case let other: throw Failure(description: "\(text) gave an observation of the kind \(other.kind)")
        }
    }

    /// Publishes an action and waits for what comes of it.
    private func perform(_ action: Action, timeout: Double? = nil) async throws -> Observation {
        let event = try await stream.publish(.action(action), source: .agent, timeout: timeout)
        for try await answer in stream.subscribe(from: event.id + 1, where: .observations)
        where answer.cause == event.id {
            if let observation = answer.observation { return observation }
        }
        throw CancellationError()
    }

    // MARK: The task

    private static func wrongNumbers(in output: String) -> [String] {
        output.split(separator: "\n").compactMap { line in
            line.hasPrefix("FAIL ") ? line.dropFirst(5).split(separator: ":").first.map(String.init) : nil
        }
    }

    /// What somebody writes who forgets that IV is not IIII.
    private static let firstSymbols = "1000:M 500:D 100:C 50:L 10:X 5:V 1:I"
    private static let allSymbols = "1000:M 900:CM 500:D 400:CD 100:C 90:XC 50:L 40:XL 10:X 9:IX 5:V 4:IV 1:I"

    private static func program(symbols: String) -> String {
        """
        #!/bin/sh
        # Prints a number as a Roman numeral.
        number=$1
        for pair in \(symbols); do
            value=${pair%%:*}
            while [ "$number" -ge "$value" ]; do
                printf '%s' "${pair#*:}"
                number=$((number - value))
            done
        done
        echo
        """
    }

    private static let test = """
        #!/bin/sh
        # Compares roman.sh with numerals that are known.
        failures=0
        check() {
            got=$(sh roman.sh "$1")
            if [ "$got" = "$2" ]; then
                echo "ok   $1: $got"
            else
                echo "FAIL $1: expected $2, got $got"
                failures=$((failures + 1))
            fi
        }
        check 3 III
        check 4 IV
        check 8 VIII
        check 9 IX
        check 1994 MCMXCIV
        check 2026 MMXXVI
        echo "$failures failures"
        [ "$failures" -eq 0 ]
        """
}
