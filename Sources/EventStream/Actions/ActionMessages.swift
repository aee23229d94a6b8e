// The lines that the reference's user interface shows for an action. They are part of the format: it writes them into the log.

extension CommandAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Running command: ")
        builder.text(command)
    }

    var isHidden: Bool { hidden }
}

extension IPythonAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Running Python code interactively: ")
        builder.text(code)
    }
}

extension FileReadAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Reading file: ")
        builder.text(path)
    }
}

extension FileWriteAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Writing file: ")
        builder.text(path)
    }
}

extension FileEditAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {}
}

extension BrowseAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I am browsing the URL: ")
        builder.text(url)
    }
}

extension BrowseInteractiveAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I am interacting with the browser:\n```\n")
        builder.text(browserActions)
        builder.literal("\n```")
    }
}

extension MCPAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I am interacting with the MCP server with name:\n```\n")
        builder.text(name)
        builder.literal("\n```\nand arguments:\n```\n")
        builder.text(PythonRepresentation.of(.object(arguments)))
        builder.literal("\n```")
    }
}

extension TaskTrackingAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        switch taskList.count {
        case 0: builder.literal("Clearing the task list.")
        case 1: builder.literal("Managing 1 task item.")
        case let count:
            builder.literal("Managing ")
            builder.number(count)
            builder.literal(" task items.")
        }
    }
}

extension MessageAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) { builder.text(content) }
}

extension SystemMessageAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) { builder.text(content) }
}

extension ThinkAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I am thinking...: ")
        builder.text(thought)
    }
}

extension FinishAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        if thought.isEmpty {
            builder.literal("All done! What's next on the agenda?")
        } else {
            builder.text(thought)
        }
    }
}

extension RejectAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Task is rejected by the agent.")
        guard let reason = outputs["reason"] else { return }
        builder.literal(" Reason: ")
        builder.text(reason.stringValue ?? PythonRepresentation.of(reason))
    }
}

extension DelegateAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I'm asking ")
        builder.text(agent)
        builder.literal(" for help with this task.")
    }
}

extension ChangeAgentStateAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Agent state changed to ")
        builder.text(agentState)
    }
}

extension LoopRecoveryAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {}
}

extension NullAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) { builder.literal("No action") }
}

extension RecallAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        // Fifty code points, which is what Python counts.
        var start = String.UnicodeScalarView()
        start.append(contentsOf: query.unicodeScalars.prefix(50))
        builder.literal("Retrieving content for: ")
        builder.text(String(start))
    }
}

extension CondensationAction {
    /// The events that are dropped, by list or by range.
    public var forgotten: [Int] {
        if let forgottenEventIDs { return forgottenEventIDs }
        guard let start = forgottenEventsStartID, let end = forgottenEventsEndID, start <= end else { return [] }
        return Array(start...end)
    }

    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        if let summary, !summary.isEmpty {
            builder.literal("Summary: ")
            builder.text(summary)
        } else {
            builder.literal("Condenser is dropping the events: ")
            builder.text(forgotten.description)
            builder.literal(".")
        }
    }
}

extension CondensationRequestAction {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Requesting a condensation of the conversation history.")
    }
}
