extension RecordedSession {
    /// Writes the session as the reference keeps it: a folder `events` with a file for each event, and `event_cache` with pages of 25.
    ///
    /// - Parameter directory: The session's folder, for example `sessions/<id>`; it may have no events yet.
    /// - Throws: What the system says, or that there are events already.
    public func writeReferenceSession(to directory: String) throws(EventStoreError) {
        try write(try SessionWriter(directory, as: .referenceSession))
    }

    /// The session as a trajectory: an array of all events, without what browsers leave in observations that nobody reads later.
    ///
    /// - Parameters:
    ///   - withScreenshots: Whether to keep pictures of pages.
    ///   - layout: The layout; as the reference saves it unless told otherwise.
    public func trajectory(
        withScreenshots: Bool = false,
        layout: JSONLayout = SessionWriter.trajectoryLayout
    ) -> [UInt8] {
        JSONValue.array(events.map { Trajectory.json($0, withScreenshots: withScreenshots) }).serialized(layout)
    }

    /// Writes the session as a trajectory to a file that isn't there yet; see ``trajectory(withScreenshots:layout:)``.
    public func writeTrajectory(
        to path: String,
        withScreenshots: Bool = false,
        layout: JSONLayout = SessionWriter.trajectoryLayout
    ) throws(EventStoreError) {
        try write(try SessionWriter(path, as: .trajectory, withScreenshots: withScreenshots, layout: layout))
    }

    /// Writes the session to an empty directory in the form of ``JSONLinesEventStore``, for a stream to go on with.
    ///
    /// - Throws: ``EventStoreError/missingEvents(path:expected:found:)`` when the recording leaves out events, or what the system says.
    public func write(to directory: String) throws(EventStoreError) {
        try write(try SessionWriter(directory, as: .store))
    }

    private func write(_ writer: consuming SessionWriter) throws(EventStoreError) {
        // In pieces, so that a long session takes little more memory, and fills files of the usual size.
        var rest = events[...]
        while !rest.isEmpty {
            try writer.append(Array(rest.prefix(1024)))
            rest = rest.dropFirst(1024)
        }
        try writer.close()
    }
}

extension EventStream {
    /// The session so far, whole and in memory.
    ///
    /// - Throws: Why an event can't be read.
    public func recordedSession() throws(EventStoreError) -> RecordedSession {
        RecordedSession(events: try events())
    }
}
