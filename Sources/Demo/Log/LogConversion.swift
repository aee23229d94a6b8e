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
    private let form: SessionForm
    private let keepsScreenshots: Bool

    init(from source: String, to target: String, form: SessionForm, keepsScreenshots: Bool) {
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
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isDirectory), isDirectory.boolValue
        else {
            throw Refusal(description: "there is no directory \(folder.path) to write \(target.lastPathComponent) to")
        }
        let reader = try SessionReader(source)

        // Beside the target, so that putting it in place is one step, which happens or doesn't.
        let name = ".\(target.lastPathComponent).\(String(UInt64.random(in: .min ... .max), radix: 36)).partial"
        let draft = folder.appendingPathComponent(name)
        defer { try? FileManager.default.removeItem(at: draft) }
        guard let count = try write(reader, to: draft) else { return nil }
        let losses = try compare(reader, with: draft)
        try synchronize(draft)
        try Task.checkCancellation()
        try put(draft, at: target)

        let style = Style.detected
        var report = ["\(count) events of a \(reader.form.name) are now a \(form.name): \(target.path)"]
        if !losses.isEmpty {
            report.append(style.yellow("Left out, as a \(form.name) has it, with the number of events:"))
            report += losses.sorted { $0.key < $1.key }.map { "  \($0.key)  \(style.faint("\($0.value)"))" }
        }
        return report
    }

    // MARK: Writing

    /// Writes the session.
    ///
    /// - Returns: how many events it has; nil when it is damaged, which was told.
    private func write(_ reader: SessionReader, to draft: URL) throws -> Int? {
        let bar = ProgressBar("Writing ")
        defer { bar.clear() }
        var damages: [EventStoreError] = []
        if case .missingEvents = reader.openingError { damages += reader.openingError.map { [$0] } ?? [] }
        var writer = try SessionWriter(draft.path, as: form, withScreenshots: keepsScreenshots)
        var count = 0
        var last: Int?
        reading: for page in try reader.pages() {
            var events: [Event] = []
            for entry in page.entries {
                switch entry {
                case .success(let event):
                    if damages.isEmpty { try expectFitting(event, after: last) }
                    last = event.id
                    events.append(event)
                case .failure(let error):
                    damages.append(error)
                    if damages.count == 10 { break reading }
                }
            }
            // Of what is damaged only the other damage is wanted still.
            if damages.isEmpty { try writer.append(events) }
            count += events.count
            bar.show(page.fraction)
            try Task.checkCancellation()
        }
        bar.clear()
        try writer.close()
        guard !damages.isEmpty else { return count }
        for damage in damages { Output.complain("\(damage)") }
        Output.complain("\(source) is damaged, so \(target.path) was not written; log verify \(source) says more")
        return nil
    }

    /// Checks that the form has room for an event after those before.
    private func expectFitting(_ event: Event, after last: Int?) throws {
        let expected = last.map { $0 + 1 } ?? 0
        guard event.id >= expected else {
            throw Refusal(
                description: event.id == last
                    ? "\(source) has two events \(event.id), so \(target.path) was not written"
                    : "in \(source) event \(event.id) comes after event \(expected - 1), so nothing was written"
            )
        }
        guard form != .store || event.id == expected else {
            throw Refusal(
                description: """
                    a \(form.name) has all events from 0 on, and \(source) has no event \(expected); \
                    lines, session and trajectory may leave some out
                    """
            )
        }
    }

    // MARK: Checking

    /// Reads both again.
    ///
    /// - Returns: the members that are left out, each with the number of events that had it.
    private func compare(_ reader: SessionReader, with draft: URL) throws -> [String: Int] {
        let bar = ProgressBar("Checking")
        defer { bar.clear() }
        var copies = try SessionReader(draft.path).pages()
        var written: ArraySlice<Result<Event, EventStoreError>> = []
        func nextCopy() throws -> Event? {
            while written.isEmpty, let page = copies.next() { written = page.entries[...] }
            return try written.popFirst()?.get()
        }
        var losses: [String: Int] = [:]
        for page in try reader.pages() {
            for entry in page.entries {
                let event = try entry.get()
                guard let copy = try nextCopy(), copy.id == event.id else {
                    throw Refusal(description: "event \(event.id) wasn't read again; \(target.path) was not written")
                }
                for path in try Self.losses(from: event, to: copy, form) { losses[path, default: 0] += 1 }
            }
            bar.show(page.fraction)
            try Task.checkCancellation()
        }
        return losses
    }

    private static func losses(from event: Event, to copy: Event, _ form: SessionForm) throws -> Set<String> {
        let (original, written) = (event.json, copy.json)
        guard original != written else { return [] }
        var paths: Set<String> = []
        compare(original, written, at: "", &paths)
        // A trajectory leaves out what it always does; anything else is a mistake.
        guard form == .trajectory else {
            throw Refusal(description: "event \(event.id) would be another: \(paths.sorted().joined(separator: ", "))")
        }
        return paths
    }

    private static func compare(_ original: JSONValue?, _ copy: JSONValue?, at path: String, _ paths: inout Set<String>)
    {
        guard original != copy else { return }
        if let members = original?.objectValue, copy?.objectValue != nil {
            for member in members {
                compare(
                    member.value,
                    copy?[member.key],
                    at: path.isEmpty ? member.key : "\(path).\(member.key)",
                    &paths
                )
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
