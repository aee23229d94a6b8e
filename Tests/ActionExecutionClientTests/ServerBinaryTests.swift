import ActionExecutionClient
import Foundation
import TestSupport
import Testing

/// A file that may be the server's program, and what is made of it.
struct ProgramCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var isExecutable = true
    /// What the error says of it, for a container; nil when it is taken.
    var complaint: String?

    static let all = [
        ProgramCase(testDescription: "a static program", bytes: elf(segments: [1, 1, 6])),
        ProgramCase(
            testDescription: "a program that needs a loader (PT_INTERP)",
            bytes: elf(segments: [6, 3, 1]),
            complaint: "not a static Linux program"
        ),
        ProgramCase(
            testDescription: "a static program that nobody may execute",
            bytes: elf(segments: [1]),
            isExecutable: false,
            complaint: "no program"
        ),
        ProgramCase(
            testDescription: "a script",
            bytes: Array("#!/bin/sh\n".utf8),
            complaint: "not a static Linux program"
        ),
        ProgramCase(testDescription: "an empty file", bytes: [], complaint: "not a static Linux program"),
        ProgramCase(
            testDescription: "a head that is cut off",
            bytes: Array(elf(segments: [1]).prefix(50)),
            complaint: "not a static Linux program"
        ),
        ProgramCase(
            testDescription: "a table that is cut off",
            bytes: Array(elf(segments: [1, 1]).dropLast(56)),
            complaint: "not a static Linux program"
        ),
        ProgramCase(
            testDescription: "a 32-bit program",
            bytes: elf(segments: [1], identity: [0x7f, 0x45, 0x4c, 0x46, 1, 1]),
            complaint: "not a static Linux program"
        ),
        ProgramCase(
            testDescription: "a program of macOS",
            bytes: [0xcf, 0xfa, 0xed, 0xfe] + Array(repeating: 0, count: 60),
            complaint: "not a static Linux program"
        ),
    ]

    /// The file header and program headers of an ELF file, 64-bit and little-endian (elf(5)).
    private static func elf(segments: [UInt8], identity: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1]) -> [UInt8] {
        var bytes = identity + Array(repeating: 0, count: 64 - identity.count)
        bytes[32] = 64  // e_phoff
        bytes[54] = 56  // e_phentsize
        bytes[56] = UInt8(segments.count)  // e_phnum
        for type in segments { bytes += [type] + Array(repeating: 0, count: 55) }
        return bytes
    }
}

@Suite
struct ServerBinaryTests {
    @Test("For a container only a static Linux program is taken", arguments: ProgramCase.all)
    func kinds(_ program: ProgramCase) async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "program").path
            try Data(program.bytes).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(
                [.posixPermissions: program.isExecutable ? 0o755 : 0o644],
                ofItemAtPath: path
            )
            if let complaint = program.complaint {
                #expect(throws: RuntimeError.serverBinaryNotFound(searched: ["\(path) (\(complaint))"])) {
                    try ServerBinary.find(configured: path, for: .container)
                }
            } else {
                #expect(try ServerBinary.find(configured: path, for: .container) == path)
            }
            if program.isExecutable {
                #expect(try ServerBinary.find(configured: path, for: .thisMachine) == path)
            }
        }
    }

    @Test("What is asked for by name is taken or refused, nothing else in its place")
    func named() async throws {
        try await withTemporaryDirectory { directory in
            let (missing, shell) = (directory.appending(path: "missing").path, "/bin/sh")
            let environment = ["ACTION_EXECUTION_SERVER": missing]
            let configured = try ServerBinary.find(configured: shell, for: .thisMachine, environment: environment)
            #expect(configured == shell)
            #expect(throws: RuntimeError.serverBinaryNotFound(searched: ["\(missing) (no program)"])) {
                try ServerBinary.find(for: .thisMachine, environment: environment)
            }
            let named = try ServerBinary.find(for: .thisMachine, environment: ["ACTION_EXECUTION_SERVER": shell])
            #expect(named == shell)
        }
    }

    @Test("The error says where the program was looked for and what builds it")
    func message() throws {
        let error = try #require(throws: RuntimeError.self) {
            try ServerBinary.find(configured: "/nowhere/server", for: .container)
        }
        #expect(error.description.contains("/nowhere/server (no program)"))
        #expect(error.description.contains("scripts/build-server"))
        #expect(error.description.contains("ACTION_EXECUTION_SERVER"))
    }

    @Test("The program that scripts/build-server makes runs in a container")
    func builtProgram() throws {
        let binary = try TestEnvironment.serverBinary()
        #expect(try ServerBinary.find(configured: binary, for: .container) == binary)
    }
}
