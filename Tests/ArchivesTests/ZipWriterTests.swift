import Foundation
import TestSupport
import Testing

@testable import Archives

@Suite(.timeLimit(.minutes(5)))
struct ZipWriterTests {
    /// Every byte that a name can have, alone and among others.
    private static let names: [[UInt8]] =
        (1...255).filter { $0 != 0x2f && $0 != 0x2e }.map { [UInt8($0)] }
        + ["ä/ö", "日本.txt", "a b", "-", "...", ".hidden"].map { Array($0.utf8) } + [[0x61, 0xff, 0x62], [0xc3]]

    private func archive(_ compression: ZipWriter.Compression, comment: String = "") throws -> [UInt8] {
        var writer = try ZipWriter(compression: compression)
        var bytes: [UInt8] = []
        for (index, name) in Self.names.enumerated() {
            let entry = ZipWriter.Entry(
                name: name,
                kind: .file,
                permissions: UInt16(0o400 | index & 0o377),
                modificationTime: 1_700_000_001 + Int64(index)
            )
            let content = [UInt8](repeating: UInt8(index & 0xff), count: index * 7)
            if index.isMultiple(of: 2) {
                writer.add(entry, content: content)
            } else {
                writer.begin(entry, sizeLimit: index.isMultiple(of: 3) ? 1 << 40 : UInt64(content.count))
                writer.append(Array(content.prefix(index)))
                bytes += writer.takeOutput()
                writer.append(Array(content.dropFirst(index)))
                writer.endEntry()
            }
        }
        writer.add(.init(name: Array("folder".utf8), kind: .folder, permissions: 0o750, modificationTime: 0))
        writer.add(
            .init(name: Array("link".utf8), kind: .symbolicLink, permissions: 0o777, modificationTime: -1),
            content: Array("folder".utf8)
        )
        writer.finish(comment: Array(comment.utf8))
        return bytes + writer.takeOutput()
    }

    @Test(
        "Names of any bytes, modes, times and content come back",
        arguments: [ZipWriter.Compression.stored, .deflated]
    )
    func roundTrip(_ compression: ZipWriter.Compression) async throws {
        let read = try await entries(try archive(compression))
        #expect(read.count == Self.names.count + 2)
        for (index, (entry, content)) in read.prefix(Self.names.count).enumerated() {
            #expect(entry.name == Self.names[index])
            #expect(entry.kind == .file)
            #expect(entry.permissions == UInt16(0o400 | index & 0o377))
            #expect(entry.modificationTime == 1_700_000_001 + Int64(index))
            #expect(content == [UInt8](repeating: UInt8(index & 0xff), count: index * 7))
        }
        #expect(read[Self.names.count].0.kind == .folder)
        #expect(read[Self.names.count].0.name == Array("folder/".utf8))
        #expect(read[Self.names.count + 1].0.kind == .symbolicLink)
        #expect(read[Self.names.count + 1].0.modificationTime == -1)
        #expect(read[Self.names.count + 1].1 == Array("folder".utf8))
    }

    /// Lists an archive as Python reads it, each entry with name, size, mode, checksum of its content, and method.
    private static let listing = """
        import sys, zipfile, zlib
        with zipfile.ZipFile(sys.argv[1]) as archive:
            assert archive.testzip() is None
            for info in archive.infolist():
                name = info.filename.encode('utf-8' if info.flag_bits & 0x800 else 'cp437')
                print(name.hex(), info.file_size, oct(info.external_attr >> 16), zlib.crc32(archive.read(info)),
                      info.compress_type, '%04d-%02d-%02d %02d:%02d:%02d' % info.date_time)
            print(archive.comment.decode())
        """

    private func pythonListing(_ archive: [UInt8]) async throws -> [String] {
        try await withTemporaryDirectory { root in
            let path = root.appending(path: "archive.zip")
            try Data(archive).write(to: path)
            let python = try ChildProcess(
                "/usr/bin/env",
                ["python3", "-c", Self.listing, path.path],
                output: root.appending(path: "output")
            )
            #expect(await python.exitStatus() == 0, "\(python.text)")
            return python.text.split(separator: "\n").map(String.init)
        }
    }

    @Test("Python reads what is written", arguments: [ZipWriter.Compression.stored, .deflated])
    func python(_ compression: ZipWriter.Compression) async throws {
        let lines = try await pythonListing(try archive(compression, comment: "ü"))
        #expect(lines.count == Self.names.count + 3)
        for (index, line) in lines.prefix(Self.names.count).enumerated() {
            let fields = line.split(separator: " ")
            let hexadecimal = Self.names[index].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(fields[0] == hexadecimal)
            #expect(fields[1] == "\(index * 7)")
            #expect(fields[2] == "0o100\(String(0o400 | index & 0o377, radix: 8))")
        }
        // 1,700,000,001 seconds are 2023-11-14T22:13:21Z, to two seconds.
        #expect(lines[0].hasSuffix("0 2023-11-14 22:13:20"))
        #expect(lines[Self.names.count].contains(" 0 0o40750 "))
        #expect(lines[Self.names.count + 1].contains(" 6 0o120777 "))
        #expect(lines.last == "ü")
    }

    @Test("More than 65,535 entries, for us and for Python")
    func manyEntries() async throws {
        var writer = try ZipWriter(compression: .stored)
        for index in 0..<70_000 {
            writer.add(
                .init(name: Array("\(index)".utf8), kind: .file, permissions: 0o644, modificationTime: 1_700_000_000)
            )
        }
        writer.finish()
        let archive = writer.takeOutput()
        #expect(try await withReader(archive) { $0.entryCount } == 70_000)
        let lines = try await pythonListing(archive)
        #expect(lines.count == 70_000)
        #expect(lines.last?.hasPrefix("3639393939 ") == true)
    }

    @Test("Dates are those of the calendar")
    func dates() {
        func text(_ seconds: Int64) -> String {
            let time = DOSTime(seconds)
            return "\((time.date >> 9) + 1980)-\((time.date >> 5) & 15)-\(time.date & 31)"
                + " \(time.time >> 11):\((time.time >> 5) & 63):\((time.time & 31) * 2)"
        }
        #expect(text(0) == "1980-1-1 0:0:0")
        #expect(text(951_782_399) == "2000-2-28 23:59:58")
        #expect(text(951_782_400) == "2000-2-29 0:0:0")
        #expect(text(951_868_800) == "2000-3-1 0:0:0")
        #expect(text(1_735_689_599) == "2024-12-31 23:59:58")
        #expect(text(.max) == "2107-12-31 23:59:58")
    }
}
