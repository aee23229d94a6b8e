/// Writes a session piece by piece, in any form that it may be kept in.
///
/// The counterpart of ``SessionReader``, for sessions of any length: what was written isn't kept in memory.
public struct SessionWriter: ~Copyable {
    private enum Target {
        case store(JSONLinesEventStore)
        case lines(SequentialFile)
        case referenceSession(ReferenceSession.Writer)
        case trajectory(SequentialFile)
    }

    /// How a trajectory is laid out when the reference saves it.
    public static let trajectoryLayout = JSONLayout(isSpaced: true, isASCII: true, indentation: 4)

    private var target: Target
    private let keepsScreenshots: Bool
    private let serializer: JSONSerializer
    private var isFirst = true

    /// Begins a session.
    ///
    /// - Parameters:
    ///   - path: Where to write it. A directory is made, or has no events yet; a file isn't there yet.
    ///   - form: The form to write it in.
    ///   - keepsScreenshots: Whether a trajectory keeps pictures of pages.
    ///   - layout: How a trajectory is laid out.
    /// - Throws: What the system says, or that there is something already.
    public init(
        _ path: String,
        as form: SessionForm,
        withScreenshots keepsScreenshots: Bool = false,
        layout: JSONLayout = trajectoryLayout
    ) throws(EventStoreError) {
        self.keepsScreenshots = keepsScreenshots
        serializer = JSONSerializer(layout: layout)
        switch form {
        case .store: target = .store(try JSONLinesEventStore(directory: path))
        case .lines: target = .lines(try SequentialFile(path))
        case .referenceSession: target = .referenceSession(try ReferenceSession.Writer(path))
        case .trajectory: target = .trajectory(try SequentialFile(path))
        }
    }

    /// Writes the next events.
    ///
    /// - Parameter events: Those of a store continue the ids there are; other forms may leave some out.
    /// - Throws: ``EventStoreError/missingEvents(path:expected:found:)``, or what the system says.
    public mutating func append(_ events: [Event]) throws(EventStoreError) {
        var bytes: [UInt8] = []
        switch target {
        case .store(let store): try store.append(events)
        case .lines(var file):
            for event in events {
                bytes += event.jsonBytes()
                bytes.append(UInt8(ascii: "\n"))
            }
            try file.write(bytes)
            target = .lines(file)
        case .referenceSession(var writer):
            for event in events { try writer.append(event) }
            target = .referenceSession(writer)
        case .trajectory(var file):
            for event in events {
                if isFirst { bytes.append(UInt8(ascii: "[")) }
                serializer.separate(&isFirst, &bytes, 0)
                serializer.append(Trajectory.json(event, withScreenshots: keepsScreenshots), to: &bytes, level: 1)
            }
            try file.write(bytes)
            target = .trajectory(file)
        }
    }

    /// Writes what belongs after the last event, and lets go of the files.
    public consuming func close() throws(EventStoreError) {
        switch target {
        case .store(let store): try store.close()
        case .trajectory(var file):
            var bytes: [UInt8] = []
            if isFirst { bytes.append(UInt8(ascii: "[")) } else { serializer.breakLine(&bytes, 0) }
            bytes.append(UInt8(ascii: "]"))
            try file.write(bytes)
        case .lines, .referenceSession: break
        }
    }
}

/// A new file that is written from its beginning on.
private struct SequentialFile {
    private let file: OpenFile
    private var offset = 0

    init(_ path: String) throws(EventStoreError) {
        file = try OpenFile(path, .creating)
    }

    mutating func write(_ bytes: [UInt8]) throws(EventStoreError) {
        try file.write(bytes, at: offset)
        offset += bytes.count
    }
}
