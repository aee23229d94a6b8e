/// Reads a recorded session page by page, in any form that it may be kept in, and reads on after what is damaged.
///
/// Where ``RecordedSession`` has all events in memory and is an error when one can't be read, this is for sessions of any length and in any state.
/// Only a page is in memory at a time, but for a trajectory, which is one document, and for the index of a store where that is missing.
public struct SessionReader: Sendable {
    /// A few events, or what is in their place.
    public struct Page: Sendable {
        /// The events in order, and why some can't be read.
        public internal(set) var entries: [Result<Event, EventStoreError>] = []
        /// How much of all has been looked at, from 0 to 1.
        public internal(set) var fraction: Double
    }

    /// Where the session is.
    public let path: String
    /// How it is kept.
    public let form: SessionForm
    /// Why a store can't be opened, so that its files are read line by line and without their checksums.
    public let openingError: EventStoreError?
    private let store: JSONLinesEventStore?

    /// Finds out in which form a session is kept.
    ///
    /// - Throws: ``EventStoreError/malformed(path:reason:)`` when there is no session, or what the system says.
    public init(_ path: String) throws(EventStoreError) {
        self.path = path
        form = try Self.form(of: path)
        guard form == .store else {
            (store, openingError) = (nil, nil)
            return
        }
        do throws(EventStoreError) {
            store = try JSONLinesEventStore(reading: path)
            openingError = nil
        } catch {
            switch error {
            case .damaged, .damagedIndex, .missingEvents: openingError = error
            default: throw error
            }
            store = nil
        }
    }

    private static func form(of path: String) throws(EventStoreError) -> SessionForm {
        guard try Directory.isDirectory(path) else { return try Trajectory.isTrajectory(path) ? .trajectory : .lines }
        let names = try Directory.names(in: path)
        if names.contains(where: { SegmentName.firstID(ofLog: $0) != nil }) { return .store }
        guard ReferenceSession.isSession(names) else {
            throw .malformed(
                path: path,
                reason:
                    "there is no session: neither \"\(SegmentName.log(0))\" nor a folder \"\(ReferenceSession.events)\""
            )
        }
        return .referenceSession
    }

    /// Reads events in the order in which they're kept, which is that of their ids unless somebody changed it.
    ///
    /// - Parameters:
    ///   - ids: Which events to look at.
    ///   - isReversed: Whether to go from the last to the first.
    ///   - filter: Which events to return. What is damaged is returned where it may be one of them.
    /// - Throws: Why nothing at all can be read.
    public func pages(
        in ids: Range<Int> = 0..<Int.max,
        reversed isReversed: Bool = false,
        where filter: EventFilter = .all
    ) throws(EventStoreError) -> Pages {
        let selection = SessionSelection(ids: ids, isReversed: isReversed, filter: filter)
        switch form {
        case .store:
            if let store { return Pages(StorePages(store, selection)) }
            return Pages(try LinePages(segmentsIn: path, selection))
        case .lines: return Pages(try LinePages(file: path, selection))
        case .referenceSession: return Pages(try ReferenceSessionPages(path, selection))
        case .trajectory: return Pages(try TrajectoryPages(path, selection))
        }
    }

    /// What isn't as it was written beside the events: an index, the rest of an append at the end, pages that don't say what the events' files say.
    ///
    /// - Throws: What the system says.
    public func damageBesideEvents() throws(EventStoreError) -> [EventStoreError] {
        switch form {
        case .store:
            guard let store else { return [] }
            var damage: [EventStoreError] = []
            for index in store.recovery.rebuiltIndexes where Directory.exists(index) {
                damage.append(
                    .damagedIndex(path: index, offset: 0, reason: "it isn't what was written, so it wasn't used")
                )
            }
            let torn = store.recovery.tornBytes
            if !torn.isEmpty {
                damage.append(
                    .damaged(
                        path: path + "/" + SegmentName.log(store.lastSegmentID),
                        line: store.count - store.lastSegmentID + 1,
                        offset: torn.lowerBound,
                        reason:
                            "\(torn.count) bytes are the rest of an append that was interrupted, or is just under way"
                    )
                )
            }
            return damage
        case .referenceSession: return try ReferenceSessionPages.differences(path)
        case .lines, .trajectory: return []
        }
    }

    /// The pages of a session, each read when it is asked for.
    public struct Pages: Sequence, IteratorProtocol {
        private var source: any PageSource

        init(_ source: some PageSource) {
            self.source = source
        }

        /// The next page, which may have no entries; `nil` at the end.
        public mutating func next() -> Page? { source.next() }
    }
}

@available(*, unavailable)
extension SessionReader.Pages: Sendable {}

/// One form's way to read pages.
protocol PageSource {
    mutating func next() -> SessionReader.Page?
}

/// Which events somebody wants to read.
struct SessionSelection {
    /// About how many bytes a page is made of.
    static let pageBytes = 1 << 20
    /// How many events a page has at most, where it is no matter of bytes.
    static let pageCount = 64

    var ids: Range<Int>
    var isReversed: Bool
    var filter: EventFilter

    func includes(_ event: Event) -> Bool { ids.contains(event.id) && filter.includes(event) }
}
