/// Removes the first occurrence of a marker from a stream of bytes, wherever the stream is split.
///
/// Used for the mark that a command's output begins with, and for the echo of the line that starts it.
struct MarkerFilter {
    /// Where a marker is looked for, and what becomes of the bytes before it.
    enum Place {
        /// Anywhere: everything else is handed on.
        case anywhere
        /// At the beginning only.
        case beginning
        /// Anywhere: what comes before it is dropped.
        case droppingWhatPrecedes
    }

    private let marker: [UInt8]
    /// How many bytes of the marker the stream ends with.
    private var matched = 0
    private(set) var hasFoundMarker = false
    private let place: Place
    private var hasGivenUp = false

    /// - Parameters:
    ///   - marker: what to look for; an empty one is never found and nothing is held back.
    ///   - place: where to look for it.
    init(_ marker: String, _ place: Place = .anywhere) {
        self.marker = Array(marker.utf8)
        self.place = place
    }

    /// Hands on what isn't the marker.
    ///
    /// Bytes that may be its beginning are held back until that is decided.
    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ pass: (UnsafeRawBufferPointer) -> Void) {
        guard !marker.isEmpty, !hasFoundMarker, !hasGivenUp else { return pass(bytes) }
        var start = 0
        var index = 0
        while index < bytes.count {
            if place == .beginning, bytes[index] != marker[matched] {
                if matched > index { release(matched - index, pass) }
                (hasGivenUp, matched) = (true, 0)
                break
            }
            if matched == 0 {
                // Most bytes are looked at once, by the C library's speed.
                guard let first = bytes[index...].firstIndex(of: marker[0]) else { break }
                index = first
            }
            if bytes[index] == marker[matched] {
                matched += 1
                index += 1
                guard matched == marker.count else { continue }
                hasFoundMarker = true
                let before = index - matched
                if before > start, place != .droppingWhatPrecedes {
                    pass(UnsafeRawBufferPointer(rebasing: bytes[start..<before]))
                }
                start = index
                index = bytes.count
            } else {
                // What was held back from earlier calls is no marker. None of the markers begins again within itself.
                let heldBack = matched - (index - start)
                if heldBack > 0 { release(heldBack, pass) }
                matched = 0
            }
        }
        if place == .droppingWhatPrecedes, !hasFoundMarker { return }
        let held = hasFoundMarker ? 0 : min(matched, bytes.count - start)
        let end = bytes.count - held
        if end > start { pass(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
    }

    private func release(_ count: Int, _ pass: (UnsafeRawBufferPointer) -> Void) {
        guard place != .droppingWhatPrecedes else { return }
        marker[..<count].withUnsafeBytes(pass)
    }
}
