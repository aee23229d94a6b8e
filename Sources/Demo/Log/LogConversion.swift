import EventStream
import Foundation

/// Writes a session in another form, whole or not at all.
struct LogConversion {
    /// Why nothing is written.
    struct Refusal: Error, CustomStringConvertible {
        var description: String
    }

    private let source: String
    private let target: URL
    private let form: SessionReader.Form
    private let keepsScreenshots: Bool

    init(from source: String, to target: String, form: SessionReader.Form, keepsScreenshots: Bool) {
        self.source = source
        // A slash at the end would make the name beside it one inside of it.
        self.target = URL(fileURLWithPath: target).standardizedFileURL
        self.form = form
        self.keepsScreenshots = keepsScreenshots
    }

    /// Converts; a signal to end stops it, and nothing is left of it then.
    func run(_ output: Output) async throws -> LogCommand.Status {
        let work = Task { try convert() }
        let signals = [SIGINT, SIGTERM, SIGHUP].map { Demo.onSignal($0) { work.cancel() } }
        defer { for signal in signals { signal.cancel() } }
        do {
            let report = try await work.value
            guard let report else { return .bad }
            for line in report { try output.write(line + "\n") }
            return .good
        } catch is CancellationError {
            Output.complain("interrupted; \(target.path) was not written")
            return .interrupted
        }
    }

    /// Converts.
    ///
    /// - Returns: what to tell of it; nil when the source is damaged, which was told.
    private func convert() throws -> [String]? {
        try expectNothing(at: target)
        let folder = target.deletingLastPathComponent()
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw Refusal(description: "there is no directory \(folder.path) to write \(target.lastPathComponent) to")
        }
        let reader = try SessionReader(source)
        guard let session = try read(reader) else { return nil }
        try expectFitting(session)

        // Beside the target, so that putting it in place is one step, which happens or doesn't.
        let name = ".\(target.lastPathComponent).\(String(UInt64.random(in: .min ... .max), radix: 36)).partial"
        let draft = folder.appendingPathComponent(name)
        defer { try? FileManager.default.removeItem(at: draft) }
        try write(session, to: draft)
        try Task.checkCancellation()
        let losses = try compare(session, with: draft)
        try synchronize(draft)
        try Task.checkCancellation()
        try put(draft, at: target)

        let style = Style.detected
        var report = ["\(session.events.count) events of a \(reader.form.name) are now a \(form.name): \(target.path)"]
        if !losses.isEmpty {
            report.append(style.yellow("Left out, as a \(form.name) has it, with the number of events:"))
            report += losses.sorted { $0.key < $1.key }.map { "  \($0.key)  \(style.faint("\($0.value)"))" }
        }
        return report
    }

    // MARK: Reading

    /// Reads the session; nil when it is damaged, which is told.
    private func read(_ reader: SessionReader) throws -> RecordedSession? {
        let bar = ProgressBar("Reading")
        defer { bar.clear() }
        var events: [Event] = []
        var damages: [EventStoreError] = []
        if case .missingEvents = reader.openingError { damages += reader.openingError.map { [$0] } ?? [] }
        for page in try reader.pages() {
            for entry in page.entries {
                switch entry {
                case .success(let event): events.append(event)
                case .failure(let error): damages.append(error)
                }
            }
            bar.show(page.fraction)
            try Task.checkCancellation()
        }
        guard !damages.isEmpty else { return RecordedSession(events: events) }
        bar.clear()
        for damage in damages.prefix(10) { Output.complain("\(damage)") }
        Output.complain("\(source) is damaged, so \(target.path) was not written; log verify \(source) says more")
        return nil
    }

    /// Checks that the form has room for the events.
    private func expectFitting(_ session: RecordedSession) throws {
        for (event, next) in zip(session.events, session.events.dropFirst()) where event.id == next.id {
            throw Refusal(description: "\(source) has two events \(event.id); \(target.path) was not written")
        }
        guard form == .store, let gap = session.events.enumerated().first(where: { $0.offset != $0.element.id }) else {
            return
        }
        throw Refusal(
            description: """
                a \(form.name) has all events from 0 on, and \(source) has no event \(gap.offset); \
                lines, session and trajectory may leave some out
                """
        )
    }

    // MARK: Writing

    private func write(_ session: RecordedSession, to draft: URL) throws {
        switch form {
        case .store: try session.write(to: draft.path)
        case .referenceSession: try session.writeReferenceSession(to: draft.path)
        case .trajectory: try session.writeTrajectory(to: draft.path, withScreenshots: keepsScreenshots)
        case .lines:
            var bytes: [UInt8] = []
            for event in session.events {
                bytes += event.jsonBytes()
                bytes.append(UInt8(ascii: "\n"))
            }
            // Only for this user, as the other forms are.
            let descriptor = open(draft.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Self.failure("create", draft.path) }
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(bytes))
        }
    }

    /// Reads again what was written.
    ///
    /// - Returns: the members that are left out, each with the number of events that had it.
    private func compare(_ session: RecordedSession, with draft: URL) throws -> [String: Int] {
        let copy = try RecordedSession(contentsOf: draft.path)
        guard copy.events.map(\.id) == session.events.map(\.id) else {
            throw Refusal(description: "what was read again isn't what was written; \(target.path) was not written")
        }
        var losses: [String: Int] = [:]
        for (event, written) in zip(session.events, copy.events) where event.json != written.json {
            var paths: Set<String> = []
            Self.compare(event.json, written.json, at: "", &paths)
            // A trajectory leaves out what it always does; anything else is a mistake.
            guard form == .trajectory else {
                throw Refusal(
                    description: """
                        event \(event.id) would not be the same (\(paths.sorted().joined(separator: ", "))); \
                        \(target.path) was not written
                        """
                )
            }
            for path in paths { losses[path, default: 0] += 1 }
        }
        return losses
    }

    private static func compare(_ original: JSONValue?, _ copy: JSONValue?, at path: String, _ paths: inout Set<String>)
    {
        guard original != copy else { return }
        if let members = original?.objectValue, copy?.objectValue != nil {
            for member in members {
                compare(member.value, copy?[member.key], at: path.isEmpty ? member.key : "\(path).\(member.key)", &paths)
            }
        } else if let elements = original?.arrayValue, let copied = copy?.arrayValue, elements.count == copied.count {
            for (element, copied) in zip(elements, copied) { compare(element, copied, at: "\(path)[]", &paths) }
        } else {
            paths.insert(path)
        }
    }

    // MARK: Files

    private func expectNothing(at url: URL) throws {
        // Not fileExists(atPath:), which says no of a link that leads nowhere.
        guard (try? FileManager.default.attributesOfItem(atPath: url.path)) == nil else { throw Self.isThere(url) }
    }

    private static func isThere(_ url: URL) -> Refusal {
        Refusal(description: "\(url.path) is there already; choose another name, or take it away first")
    }

    /// Waits until the draft is on the disk, so that a power loss doesn't leave its name without its text.
    private func synchronize(_ draft: URL) throws {
        let names = FileManager.default.enumerator(atPath: draft.path)?.compactMap { $0 as? String } ?? []
        for path in [draft.path] + names.map({ draft.path + "/" + $0 }) {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw Self.failure("open", path) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw Self.failure("synchronize", path) }
        }
    }

    /// Gives the draft its name, unless somebody has it meanwhile.
    private func put(_ draft: URL, at target: URL) throws {
        if form == .store || form == .referenceSession {
            // A directory takes the place of nothing but an empty one: rename(2).
            guard rename(draft.path, target.path) == 0 else {
                throw errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                    ? Self.isThere(target) : Self.failure("make", target.path)
            }
        } else {
            guard link(draft.path, target.path) != 0 else { return }
            // Where the file system has no links, looking and renaming is the next best.
            guard errno == EPERM || errno == ENOTSUP else {
                throw errno == EEXIST ? Self.isThere(target) : Self.failure("make", target.path)
            }
            try expectNothing(at: target)
            guard rename(draft.path, target.path) == 0 else { throw Self.failure("make", target.path) }
        }
    }

    private static func failure(_ operation: String, _ path: String) -> Refusal {
        Refusal(description: "can't \(operation) \(path): \(String(cString: strerror(errno)))")
    }
}
