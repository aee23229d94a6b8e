import Testing

@testable import Archives

/// Archives whose fields lie, and archives that are damaged.
@Suite(.timeLimit(.minutes(5)))
struct ZipReaderTests {
    typealias Entry = HandMadeArchive.Entry

    private func refusal(
        of archive: HandMadeArchive,
        limits: ArchiveLimits = ArchiveLimits(),
        _ location: SourceLocation = #_sourceLocation
    ) async -> String {
        do {
            _ = try await entries(archive.bytes, limits: limits)
            Issue.record("it was read", sourceLocation: location)
            return ""
        } catch {
            return "\(error)"
        }
    }

    private func refusal(of entry: Entry, _ location: SourceLocation = #_sourceLocation) async -> String {
        await refusal(of: HandMadeArchive([entry]), location)
    }

    @Test("Stored and compressed content, with sums before or behind it in each form that tools write")
    func forms() async throws {
        let text = String(repeating: "zip ", count: 1000)
        let compressed = try Entry("compressed", text).deflated()
        let archive = HandMadeArchive([
            Entry("stored", text), compressed, Entry("empty"), Entry("described", text).withDescriptor(),
            compressed.withDescriptor(hasSignature: false), compressed.withDescriptor(isLarge: true),
            compressed.withDescriptor(hasSignature: false, isLarge: true), Entry("folder/", mode: 0o040755),
        ])
        let read = try await entries(archive.bytes)
        #expect(read.map { $0.1.count } == [4000, 4000, 0, 4000, 4000, 4000, 4000, 0])
        #expect(read.allSatisfy { $0.1.isEmpty || $0.1 == Array(text.utf8) })
        #expect(read.map(\.0.kind) == [.file, .file, .file, .file, .file, .file, .file, .folder])
    }

    @Test("What isn't read says so: encryption, other methods, patches, split archives")
    func unsupported() async throws {
        for flags in [1 << 0, 1 << 6, 1 << 13] as [UInt16] {
            var entry = Entry("x", "secret")
            entry.flags = flags
            #expect(await refusal(of: entry).contains("it is encrypted"))
        }
        var entry = Entry("x", "text")
        entry.method = 12
        #expect(await refusal(of: entry).contains("its compression method is 12"))
        entry = Entry("x", "text")
        entry.flags = 1 << 5
        #expect(await refusal(of: entry).contains("it is a patch"))
        entry = Entry("x", "text")
        entry.disk = 1
        #expect(await refusal(of: entry).contains("another part of a split archive"))
        var archive = HandMadeArchive([Entry("x", "text")])
        archive.disk = 3
        #expect(await refusal(of: archive).contains("part of a split archive"))
    }

    @Test("An entry's own header must say what the directory says")
    func localHeaders() async throws {
        var entry = Entry("shown", "text")
        entry.localName = Array("other".utf8)
        #expect(await refusal(of: entry).contains("have different names"))
        entry = Entry("x", "text")
        entry.localFlags = 1 << 11
        #expect(await refusal(of: entry).contains("have different flags"))
        entry = Entry("x", "text")
        entry.localMethod = 8
        #expect(await refusal(of: entry).contains("have different compression methods"))
        entry = Entry("x", "text")
        entry.localChecksum = 1
        #expect(await refusal(of: entry).contains("have different checksums"))
        entry = Entry("x", "text")
        entry.localSize = 3
        #expect(await refusal(of: entry).contains("have different sizes"))
        entry = Entry("x", "text")
        entry.offset = 1
        #expect(await refusal(of: entry).contains("no header where the directory says"))
        entry.offset = 1 << 30
        #expect(await refusal(of: entry).contains("beyond the end"))
    }

    @Test("What comes out must be what the directory says, neither more nor less nor other")
    func content() async throws {
        var entry = Entry("x", "text")
        entry.checksum ^= 1
        #expect(await refusal(of: entry).contains("its checksum is wrong"))
        let good = try Entry("x", String(repeating: "text", count: 100)).deflated()
        entry = good
        entry.size -= 1
        #expect(await refusal(of: entry).contains("longer than the directory says"))
        entry = good
        entry.size += 1
        #expect(await refusal(of: entry).contains("shorter than the directory says"))
        entry = good
        entry.packed += [0]
        entry.packedSize += 1
        #expect(await refusal(of: entry).contains("there is more behind its compressed content"))
        entry = good
        entry.packed.removeLast()
        entry.packedSize -= 1
        #expect(await refusal(of: entry).contains("cut off"))
        entry = good
        entry.packed[0] = 0xff
        #expect(await refusal(of: entry).contains("invalid"))
        entry = Entry("x", "text")
        entry.size = 5
        #expect(await refusal(of: entry).contains("stored, but has two sizes"))
        entry = good.withDescriptor()
        entry.trailer[4] ^= 1
        #expect(await refusal(of: entry).contains("the sums behind its content differ"))
        #expect(await refusal(of: Entry("folder/", "content", mode: 0o040755)).contains("a folder with content"))
    }

    @Test("Entries that share bytes are refused, as are gaps that programs read differently")
    func structure() async throws {
        var inner = Entry("x", "text")
        inner.offset = 0
        #expect(await refusal(of: HandMadeArchive([Entry("x", "text"), inner])).contains("share bytes"))
        var archive = HandMadeArchive([Entry("x", "text")])
        archive.laterGap = [0]
        #expect(await refusal(of: archive).contains("isn't where its end says"))
        archive = HandMadeArchive([Entry("x", "text")])
        archive.count = 2
        #expect(await refusal(of: archive).contains("fewer entries"))
        archive = HandMadeArchive([Entry("x", "text"), Entry("y", "text")])
        archive.count = 1
        #expect(await refusal(of: archive).contains("more entries"))
        archive = HandMadeArchive([])
        #expect(try await entries(archive.bytes).isEmpty)
        // A comment that looks like an end, which goes on to the end of the file as the real one does.
        archive = HandMadeArchive([Entry("x", "text")])
        archive.comment = HandMadeArchive([]).bytes
        #expect(await refusal(of: archive).contains("isn't where its end says"))
    }

    @Test("Limits hold by what the directory says, before anything is unpacked")
    func limits() async throws {
        let zeros = Entry([0x78], [UInt8](repeating: 0, count: 1 << 20))
        let bomb = HandMadeArchive([try zeros.deflated()])
        var limits = ArchiveLimits(expansionRatio: 100, ratioFloor: 1 << 19)
        #expect(await refusal(of: bomb, limits: limits).contains("more than 100 times"))
        limits.ratioFloor = 1 << 20
        #expect(try await entries(bomb.bytes, limits: limits).count == 1)
        limits.totalSize = 1 << 19
        #expect(await refusal(of: bomb, limits: limits).contains("more than 524288 bytes"))
        limits = ArchiveLimits(entryCount: 2)
        let many = HandMadeArchive((0..<3).map { Entry("\($0)") })
        #expect(await refusal(of: many, limits: limits).contains("more than 2 entries"))
    }

    @Test("Sizes and positions of 64 bits are taken from the extra field, in the order of the format")
    func largeFields() async throws {
        var entry = Entry("x", "text")
        entry.size = .max
        entry.packedSize = .max
        entry.offset = .max
        entry.localSize = 4
        entry.extra.append(little: UInt16(1))
        entry.extra.append(little: UInt16(24))
        for number in [4, 4, 0] as [UInt64] { entry.extra.append(little: number) }
        #expect(try await entries(HandMadeArchive([entry]).bytes).map(\.1) == [Array("text".utf8)])
        entry.extra.removeLast()
        entry.extra[2] = 23
        #expect(await refusal(of: entry).contains("ZIP64 field is cut off"))
    }

    @Test("Every truncation and every flipped bit is refused or read, and what is read passed its checksum")
    func damage() async throws {
        let texts = [Array("first".utf8), Array(String(repeating: "second", count: 10).utf8)]
        let archive = HandMadeArchive([
            Entry(Array("a".utf8), texts[0]), try Entry(Array("b".utf8), texts[1]).deflated().withDescriptor(),
        ]).bytes
        for count in 0..<archive.count {
            await #expect(throws: ArchiveError.self) { _ = try await entries(Array(archive[..<count])) }
        }
        var readCount = 0
        for bit in 0..<archive.count * 8 {
            var damaged = archive
            damaged[bit / 8] ^= 1 << (bit % 8)
            do {
                let read = try await entries(damaged)
                readCount += 1
                #expect(read.map(\.1).allSatisfy { texts.contains($0) || $0.isEmpty }, "bit \(bit)")
            } catch is ArchiveError {
                continue
            }
        }
        // Names, times and modes have no checksum.
        #expect(readCount < archive.count * 8 / 2)
    }

    @Test("Random bytes, and random bytes in a good archive, do no harm")
    func garbage() async throws {
        var random = SeededGenerator(seed: 1)
        let archive = HandMadeArchive([
            Entry("a", "first"), try Entry("b/c", "second").deflated(), Entry.link("l", to: "a"),
        ]).bytes
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            await #expect(throws: ArchiveError.self) { _ = try await entries(bytes) }
            var damaged = archive
            for _ in 0..<8 {
                damaged[.random(in: 0..<damaged.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do {
                _ = try await entries(damaged)
            } catch is ArchiveError {
                continue
            }
        }
    }
}
