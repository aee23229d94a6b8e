// The lines that the reference's user interface shows for an observation, where they aren't its content. They are part of the format: it
// writes them into the log.

extension CommandObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Command `")
        builder.text(command)
        builder.literal("` executed with exit code ")
        builder.number(metadata.exitCode)
        builder.literal(".")
    }

    var success: Bool? { metadata.exitCode == 0 }
    var isHidden: Bool { hidden }
}

extension IPythonObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Code executed in IPython cell.")
    }

    var success: Bool? { true }
}

extension FileReadObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I read the file ")
        builder.text(path)
        builder.literal(".")
    }
}

extension FileWriteObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I wrote to the file ")
        builder.text(path)
        builder.literal(".")
    }
}

extension FileEditObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("I edited the file ")
        builder.text(path)
        builder.literal(".")
    }
}

extension DownloadObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Downloaded the file at location: ")
        builder.text(filePath)
    }
}

extension BrowseObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        builder.literal("Visited ")
        builder.text(url)
    }
}

extension NullObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) { builder.literal("No observation") }
}

extension LoopDetectionObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {}
}

extension AgentStateChangedObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {}
}

extension DelegateObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {}
}

extension RecallObservation {
    func buildMessage(_ builder: inout some MessageBuilder & ~Copyable) {
        if recallType == .workspaceContext {
            builder.literal("Added workspace context")
        } else {
            builder.literal("Added microagent knowledge")
        }
    }
}
