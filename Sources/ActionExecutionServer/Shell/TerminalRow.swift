/// A row of a terminal's screen, as cells.
struct TerminalRow {
    /// A column: a character, its continuation when it is wide, or nothing where nothing was written.
    enum Cell: Equatable {
        case blank
        case continuation
        case scalar(Unicode.Scalar)
        /// A character with its marks.
        case cluster([Unicode.Scalar])
    }

    /// The cells up to the last that was written or passed by an insertion.
    var cells: [Cell] = []
    /// Whether the next row continues the line since this one was full.
    var isWrapped = false
    /// The cells when the row was told last; nil when it wasn't.
    private var toldCells: [Cell]?

    /// Whether there is nothing on the row.
    var isEmpty: Bool { cells.isEmpty }

    // MARK: Changing

    mutating func pad(to count: Int) {
        if cells.count < count { cells.append(contentsOf: repeatElement(.blank, count: count - cells.count)) }
    }

    /// Puts a character into the columns from `column` on.
    mutating func put(_ scalar: Unicode.Scalar, width: Int, at column: Int) {
        pad(to: column + width)
        clearCharacters(touching: column..<column + width)
        cells[column] = .scalar(scalar)
        if width == 2 { cells[column + 1] = .continuation }
    }

    /// Puts printable ASCII into the columns from `column` on.
    mutating func put(ascii bytes: Slice<UnsafeRawBufferPointer>, at column: Int) {
        let end = column + bytes.count
        if column == cells.count {
            cells.append(contentsOf: bytes.lazy.map { .scalar(Unicode.Scalar($0)) })
            return
        }
        pad(to: end)
        clearCharacters(touching: column..<end)
        var index = column
        for byte in bytes {
            cells[index] = .scalar(Unicode.Scalar(byte))
            index += 1
        }
    }

    /// Adds a mark to the character before a column.
    mutating func combine(_ mark: Unicode.Scalar, before column: Int) {
        pad(to: column)
        var index = column - 1
        while index >= 0, cells[index] == .continuation { index -= 1 }
        guard index >= 0 else { return }
        switch cells[index] {
        case .blank, .continuation: cells[index] = .cluster([" ", mark])
        case .scalar(let scalar): cells[index] = .cluster([scalar, mark])
        case .cluster(let scalars):
            if scalars.count < Self.clusterLimit { cells[index] = .cluster(scalars + [mark]) }
        }
    }

    /// Scalars of one character with its marks.
    private static let clusterLimit = 16

    /// A wide character that loses one of its columns loses both.
    private mutating func clearCharacters(touching range: Range<Int>) {
        var first = range.lowerBound
        while first > 0, cells[first] == .continuation {
            cells[first] = .blank
            first -= 1
        }
        if first < range.lowerBound { cells[first] = .blank }
        var next = range.upperBound
        while next < cells.count, cells[next] == .continuation {
            cells[next] = .blank
            next += 1
        }
    }

    /// Makes the columns blank that were written.
    mutating func erase(_ range: Range<Int>) {
        for column in range.clamped(to: cells.indices) { cells[column] = .blank }
    }

    /// Makes room at a column; what is moved out of the width is gone.
    mutating func insertBlanks(_ count: Int, at column: Int, width: Int) {
        if column >= width - 1 { return erase(column..<column + 1) }
        pad(to: width)
        cells.insert(contentsOf: repeatElement(.blank, count: min(count, width - column)), at: column)
        cells.removeSubrange(width...)
    }

    mutating func deleteCells(_ count: Int, at column: Int, width: Int) {
        guard column < width else { return }
        pad(to: width)
        let end = min(column + count, width)
        cells.append(contentsOf: repeatElement(.blank, count: end - column))
        cells.removeSubrange(column..<end)
    }

    // MARK: Telling

    /// What there is to tell of a row since it was told last.
    enum News: Equatable {
        case none
        /// The row as it was told has only become longer: from here on it is new.
        case suffix(from: Int)
        case all
    }

    var news: News {
        guard let toldCells else { return .all }
        let told = Self.length(of: toldCells)
        let count = Self.length(of: cells)
        guard cells.prefix(min(told, count)).elementsEqual(toldCells.prefix(min(told, count))) else { return .all }
        if count <= told { return .none }
        return told == 0 ? .all : .suffix(from: told)
    }

    mutating func markTold() {
        toldCells = cells
    }

    /// The cells without the blank ones at the end.
    private static func length(of cells: [Cell]) -> Int {
        cells.lastIndex { $0 != .blank }.map { $0 + 1 } ?? 0
    }

    // MARK: Bytes

    /// The columns that belong to the row's text: without blanks at its end, unless the line goes on on the next row.
    var shownCount: Int { isWrapped ? cells.count : Self.length(of: cells) }

    /// Appends the text of some columns, of those that are there.
    func append(_ columns: Range<Int>, to text: inout [UInt8]) {
        for cell in cells[columns.clamped(to: cells.indices)] {
            switch cell {
            case .blank: text.append(0x20)
            case .continuation: break
            case .scalar(let scalar):
                if scalar.isASCII {
                    text.append(UInt8(truncatingIfNeeded: scalar.value))
                } else {
                    text.append(contentsOf: scalar.utf8)
                }
            case .cluster(let scalars):
                for scalar in scalars { text.append(contentsOf: scalar.utf8) }
            }
        }
    }
}
