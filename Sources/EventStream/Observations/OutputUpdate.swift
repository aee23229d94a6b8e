/// How what a running command shows has changed.
///
/// Applied one after the other to a text that is empty at first, updates give what a person would see on a terminal: a
/// progress bar that is drawn anew is not shown twice.
public struct OutputUpdate: Sendable, Hashable {
    /// Characters (Unicode scalars) that go from the end of what was shown.
    public var removedCount: Int
    /// Characters that were left out in this place, since they came faster than they were read.
    ///
    /// The observation tells where the whole output is.
    public var omittedCount: Int
    /// What comes at the end.
    public var text: String

    /// Makes an update, which changes nothing unless something is given.
    public init(removedCount: Int = 0, omittedCount: Int = 0, text: String = "") {
        self.removedCount = removedCount
        self.omittedCount = omittedCount
        self.text = text
    }

    /// Makes the smallest update that changes the end of one text so that it becomes the other.
    package init(from old: String, to new: String) {
        let (old, new) = (old.unicodeScalars, new.unicodeScalars)
        var (oldStart, newStart) = (old.startIndex, new.startIndex)
        while oldStart < old.endIndex, newStart < new.endIndex, old[oldStart] == new[newStart] {
            old.formIndex(after: &oldStart)
            new.formIndex(after: &newStart)
        }
        self.init(removedCount: old[oldStart...].count, text: String(new[newStart...]))
    }

    /// Whether it changes nothing.
    public var isEmpty: Bool { removedCount == 0 && omittedCount == 0 && text.isEmpty }

    /// Changes a text as the update says; what was left out is not marked in it.
    public func apply(to shown: inout String) {
        shown.removeLastScalars(removedCount)
        shown += text
    }

    /// Makes this update and the one that follows it one.
    package mutating func append(_ next: OutputUpdate) {
        var removed = next.removedCount - text.removeLastScalars(next.removedCount)
        let omitted = min(removed, omittedCount)
        omittedCount -= omitted
        removed -= omitted
        removedCount += removed
        if next.omittedCount > 0 { leaveOut(andMore: next.omittedCount) }
        text += next.text
    }

    /// Leaves the text out.
    package mutating func leaveOut(andMore count: Int = 0) {
        omittedCount += text.scalarCount + count
        text = ""
    }
}

// MARK: JSON

extension OutputUpdate {
    /// `{"removed": …, "omitted": …, "text": …}`; what is zero or empty is left out.
    package var json: JSONObject {
        var object = JSONObject()
        if removedCount > 0 { object["removed"] = .number(JSONNumber(removedCount)) }
        if omittedCount > 0 { object["omitted"] = .number(JSONNumber(omittedCount)) }
        if !text.isEmpty { object["text"] = .string(text) }
        return object
    }

    /// Reads what ``json`` gives.
    package init(json: JSONValue) {
        self.init(
            removedCount: max(0, json["removed"]?.intValue ?? 0),
            omittedCount: max(0, json["omitted"]?.intValue ?? 0),
            text: json["text"]?.stringValue ?? ""
        )
    }
}

extension String {
    /// The number of Unicode scalars, counted by the bytes that begin one.
    package var scalarCount: Int {
        utf8.reduce(into: 0) { count, byte in count += byte & 0xc0 == 0x80 ? 0 : 1 }
    }

    /// Removes Unicode scalars from the end, all when there are fewer.
    ///
    /// - Returns: how many were removed.
    @discardableResult
    mutating func removeLastScalars(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        let scalars = unicodeScalars
        var start = scalars.endIndex
        var removed = 0
        while removed < count, start > scalars.startIndex {
            start = scalars.index(before: start)
            removed += 1
        }
        unicodeScalars.removeSubrange(start...)
        return removed
    }
}
