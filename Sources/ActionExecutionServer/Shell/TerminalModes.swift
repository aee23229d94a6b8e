/// What programs can set a terminal to that changes where text goes.
struct TerminalModes: Equatable {
    /// DECAWM: whether text goes on on the next row when one is full.
    var wraps = true
    /// IRM: whether characters move what is there to the right.
    var inserts = false
    /// DECOM: whether rows are counted from the top of the scroll region.
    var isRelativeToRegion = false
    /// The first row of the scroll region.
    var top = 0
    /// The last row of the scroll region.
    var bottom: Int
    /// The columns at which tabs stop; nil for each eighth.
    var tabStops: Set<Int>?
    /// Which character sets were chosen, and which of the two is in use.
    var characterSets = CharacterSets()

    /// The two character sets that a program can change between (ISO 2022).
    struct CharacterSets: Equatable {
        /// Whether each is that of line drawing (DEC Special Graphics).
        var isGraphics = [false, false]
        /// The one in use: 0 after SI, 1 after SO.
        var current = 0

        /// Whether bytes are shown as lines and corners.
        var drawsLines: Bool { isGraphics[current] }
    }

    init(height: Int) {
        bottom = height - 1
    }

    /// Whether text goes where it goes on a terminal that no program changed.
    func isOrdinary(height: Int) -> Bool {
        wraps && !inserts && !isRelativeToRegion && top == 0 && bottom == height - 1 && tabStops == nil
            && !characterSets.drawsLines
    }

    /// The next tab stop behind a column; the last column when there is none.
    func tabStop(after column: Int, width: Int) -> Int {
        guard column < width - 1 else { return column }
        guard let tabStops else { return min((column / 8 + 1) * 8, width - 1) }
        return tabStops.filter { $0 > column && $0 < width }.min() ?? width - 1
    }

    /// The tab stop before a column.
    func tabStop(before column: Int) -> Int {
        guard column > 0 else { return 0 }
        guard let tabStops else { return (column - 1) / 8 * 8 }
        return tabStops.filter { $0 < column }.max() ?? 0
    }

    mutating func setTabStop(_ column: Int, isSet: Bool, width: Int) {
        var stops = tabStops ?? Set(stride(from: 8, to: width, by: 8))
        if isSet { stops.insert(column) } else { stops.remove(column) }
        tabStops = stops
    }

    /// What the bytes from 0x5f to 0x7e show in the set of line drawing (VT100 user guide, table 3-9).
    static let graphics: [Unicode.Scalar] = Array(" ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·".unicodeScalars)
}
