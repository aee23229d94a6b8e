import EventStream
import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a command wrote since the last observation, in bounded memory.
struct CommandOutput: ~Copyable {
    /// Characters (Unicode scalars, as Python counts) beyond which an observation is cut in the middle: the reference's
    /// `MAX_CMD_OUTPUT_SIZE`.
    static let characterLimit = 30_000
    /// Bytes of text that are kept in memory; what is beyond goes to a file at once.
    private static let memoryLimit = 1 << 20
    private static let keptForEditing = 1 << 18

    private var screen = TerminalScreen()
    /// The beginning of the text when some of it has gone to the file.
    private var head = ""
    private var file: OutputFile?
    private var characterCount = 0
    /// Whoever follows the output while it comes.
    private var follower: OutputFollower?
    private let directory: OutputDirectory

    init(directory: OutputDirectory) {
        self.directory = directory
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        screen.feed(bytes)
        guard screen.count > Self.memoryLimit else { return }
        follower?.look(at: &screen, isEnd: false)
        let bytes = screen.takeSettledText(keeping: Self.keptForEditing)
        guard !bytes.isEmpty else { return }
        let settled = String(decoding: bytes, as: UTF8.self)
        follower?.textHasLeft(settled, byteCount: bytes.count)
        spill(settled)
    }

    /// Takes what was written to a pipe, where no terminal begins each line at the left (`ONLCR` of termios(3)).
    mutating func feedFromPipe(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            feed(UnsafeRawBufferPointer(rebasing: rest[..<end]))
            withUnsafeBytes(of: (UInt8(0x0d), UInt8(0x0a))) { feed($0) }
            rest = rest[(end + 1)...]
        }
        feed(UnsafeRawBufferPointer(rebasing: rest))
    }

    // MARK: Following

    /// Begins to tell of the output as it comes, from what there is now.
    mutating func follow() {
        follower = OutputFollower()
    }

    /// What has changed since the last call; nil when nothing has, or nobody follows.
    mutating func takeUpdate() -> OutputUpdate? {
        follower?.look(at: &screen, isEnd: false)
        return follower?.take()
    }

    /// The last update for whoever follows.
    mutating func endFollowing() -> OutputUpdate? {
        follower?.look(at: &screen, isEnd: true)
        defer { follower = nil }
        return follower?.take()
    }

    // MARK: Taking

    /// What the terminal has to answer to the program.
    mutating func takeReplies() -> [UInt8] { screen.takeReplies() }

    /// The text without white space at its end, cut in the middle when it is too long; empty from then on.
    mutating func take(isCut: Bool) -> String {
        let rest = String(decoding: screen.takeText(), as: UTF8.self)
        guard isCut || file != nil else { return Self.trimmed(rest) }
        if file == nil, rest.utf8.count <= Self.characterLimit || rest.scalarCount <= Self.characterLimit {
            return Self.trimmed(rest)
        }
        spill(rest)
        defer { reset() }
        return cut(rest)
    }

    /// Forgets what was written, and whatever state it left the terminal in.
    mutating func clear() {
        screen = TerminalScreen()
        reset()
    }

    private func cut(_ rest: String) -> String {
        let half = Self.characterLimit / 2
        let beginning = head.unicodeScalars.prefix(half)
        let end = rest.unicodeScalars.suffix(half)
        let leftOut = characterCount - beginning.count - end.count
        let note =
            "\n[... Observation truncated due to length: \(leftOut) characters left out, \(whereaboutsOfWhole) ...]\n"
        return String(String.UnicodeScalarView(beginning)) + note
            + Self.trimmed(String(String.UnicodeScalarView(end)))
    }

    private var whereaboutsOfWhole: String {
        switch file {
        case .none: "the whole output could not be kept"
        case .some(let file):
            if let path = file.path {
                file.isFull
                    ? "the first \(file.size) bytes of the output are in \(path)" : "the whole output is in \(path)"
            } else {
                "the whole output could not be kept"
            }
        }
    }

    private mutating func spill(_ text: String) {
        if file == nil { file = OutputFile(in: directory) }
        // Half of the limit in characters is in this many bytes at the most.
        let missing = Self.characterLimit / 2 * 4 - head.utf8.count
        if missing > 0 {
            head += text.utf8.count <= missing ? text : String(decoding: text.utf8.prefix(missing), as: UTF8.self)
        }
        characterCount += text.scalarCount
        file?.append(text)
    }

    private mutating func reset() {
        head = ""
        file = nil
        characterCount = 0
    }

    private static func trimmed(_ text: String) -> String {
        guard let last = text.utf8.lastIndex(where: { $0 > 0x20 }) else { return "" }
        let end = text.utf8.index(after: last)
        return end == text.endIndex ? text : String(text[..<end])
    }
}

/// Where outputs are kept that are too long for an observation: the newest few, readable for their owner.
final class OutputDirectory: Sendable {
    /// How many are kept.
    static let keptCount = 32

    let path: String
    /// Bytes of an output that are kept at the most.
    let fileLimit: Int
    /// The files that are there, oldest first.
    private let files = Mutex<[String]>([])

    /// - Parameter path: made when the first output is kept.
    init(path: String, fileLimit: Int = 256 << 20) {
        self.path = path
        self.fileLimit = fileLimit
    }

    /// Makes a file and removes the oldest when there are too many.
    ///
    /// - Returns: path and descriptor, or nil when it can't be made.
    fileprivate func makeFile() -> (path: String, descriptor: Int32)? {
        _ = mkdir(path, 0o700)
        var template = Array("\(path)/output-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let file = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let oldest = files.withLock { files -> String? in
            files.append(file)
            return files.count > Self.keptCount ? files.removeFirst() : nil
        }
        if let oldest { _ = unlink(oldest) }
        return (file, descriptor)
    }
}

/// An output that is too long for an observation, on disk.
struct OutputFile: ~Copyable {
    /// Nil once writing failed: a part of an output is not the whole output.
    private(set) var path: String?
    /// Bytes written.
    private(set) var size = 0
    /// Whether the output went on behind what the file may take.
    private(set) var isFull = false
    private let limit: Int
    private let descriptor: Int32

    init(in directory: OutputDirectory) {
        limit = directory.fileLimit
        let made = directory.makeFile()
        path = made?.path
        descriptor = made?.descriptor ?? -1
    }

    deinit {
        if descriptor >= 0 { _ = close(descriptor) }
    }

    mutating func append(_ text: String) {
        guard let name = path, !isFull else { return }
        let bytes = Array(text.utf8.prefix(limit - size))
        do throws(SystemError) {
            try writeAll(descriptor, bytes, path: name)
            size += bytes.count
            isFull = bytes.count < text.utf8.count
        } catch {
            // The disk is full, most likely: give back what was taken.
            _ = unlink(name)
            path = nil
        }
    }
}
