import EventStream

/// Prints a recorded session.
enum Replay {
    /// Prints the events of a log, in any of the forms that are read, as the live session did.
    ///
    /// - Returns: the exit status.
    /// - Throws: `EventStoreError` when the log isn't there or is damaged.
    static func show(_ log: String) throws -> Int32 {
        let session = try RecordedSession(contentsOf: log)
        let timeline = Timeline()
        timeline.title("A recorded session: \(log)")
        for event in session.events { timeline.show(event) }
        let counts = timeline.counts
        timeline.title("Summary")
        timeline.note(
            "  \(session.events.count) events; \(counts.actions) actions, \(counts.failures) of them failed\n"
        )
        return 0
    }
}
