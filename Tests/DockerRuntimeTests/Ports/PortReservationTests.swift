import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DockerRuntime

/// Ports from ranges, with locks between processes.
@Suite(.timeLimit(.minutes(5)))
struct PortReservationTests {
    /// A range that is no system's choice for clients, so that nobody else comes and goes there; small enough to be used up.
    private static let range = 28_700...28_709

    private func request(_ directory: URL) -> PortReservation.Request {
        var request = PortReservation.Request(
            ranges: DockerRuntime.PortRanges(
                server: Self.range,
                editor: Self.range,
                apps: [Self.range, Self.range],
                lockDirectory: directory.path
            )
        )
        request.hasEditor = true
        request.hasApps = true
        request.address = "127.0.0.1"
        return request
    }

    private func files(_ directory: URL) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: directory.path))
    }

    /// The descriptors of this process that are open on files of a directory.
    private func openFiles(_ directory: URL) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count {
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
            return path?.hasPrefix(directory.resolvingSymlinksInPath().path) == true
        }
    }

    @Test("The reference's ranges, and the lower ones where Windows hands out the upper")
    func ranges() {
        let usual = DockerRuntime.PortRanges.standard(isWindowsSubsystem: false)
        #expect(usual.server == 30000...39999)
        #expect(usual.editor == 40000...49999)
        #expect(usual.apps == [50000...54999, 55000...59999])
        let windows = DockerRuntime.PortRanges.standard(isWindowsSubsystem: true)
        #expect(windows.server == 30000...34999)
        #expect(windows.editor == 35000...39999)
        #expect(windows.apps == [40000...44999, 45000...49151])
        #expect(SystemKind.isWindowsSubsystem(kernelRelease: "5.15.90.1-microsoft-standard-WSL2"))
        #expect(!SystemKind.isWindowsSubsystem(kernelRelease: "6.1.0-13-amd64"))
    }

    @Test("A reservation has four different ports, the same inside and outside, until it is released")
    func reservation() async throws {
        try await withTemporaryDirectory { directory in
            let reservation = try PortReservation(request(directory))
            let ports = reservation.ports
            #expect(Set(ports.all.map(\.container)).count == 4)
            #expect(ports.all.allSatisfy { $0.container == $0.host && Self.range.contains($0.container) })
            #expect(try files(directory) == Set(ports.all.map { "port_\($0.container).lock" }))
            #expect(
                ports.environment == [
                    "port": "\(ports.server.container)", "VSCODE_PORT": "\(try #require(ports.editor).container)",
                    "APP_PORT_1": "\(ports.apps[0].container)", "APP_PORT_2": "\(ports.apps[1].container)",
                ]
            )
            reservation.release()
            reservation.release()
            #expect(try files(directory).isEmpty)
            #expect(try openFiles(directory) == 0)
        }
    }

    @Test("What is reserved isn't had twice; a range that is used up says so, and what was taken for it is given back")
    func usedUp() async throws {
        try await withTemporaryDirectory { directory in
            let first = try PortReservation(request(directory))
            let second = try PortReservation(request(directory))
            let taken = Set((first.ports.all + second.ports.all).map(\.container))
            #expect(taken.count == 8)
            // Two are left, of four that are needed.
            #expect(throws: DockerRuntimeError.portRangeUsedUp(range: Self.range)) {
                try PortReservation(request(directory))
            }
            #expect(try openFiles(directory) == 8)
            #expect(try files(directory).count == 8)
            first.release()
            let third = try PortReservation(request(directory))
            #expect(Set((second.ports.all + third.ports.all).map(\.container)).count == 8)
            second.release()
            third.release()
            #expect(try openFiles(directory) == 0)
        }
    }

    @Test("A port that the engine has published, or has refused, isn't chosen")
    func takenByEngine() async throws {
        try await withTemporaryDirectory { directory in
            var request = request(directory)
            (request.hasEditor, request.hasApps) = (false, false)
            request.taken = Set(Self.range.dropLast())
            let reservation = try PortReservation(request)
            #expect(reservation.ports.server.container == Self.range.upperBound)
            reservation.release()
        }
    }

    @Test(
        "A port on which somebody listens isn't chosen, at the address or at all of them",
        arguments: ["127.0.0.1", "0.0.0.0"]
    )
    func takenBySomebody(_ address: String) async throws {
        try await withTemporaryDirectory { directory in
            let listener = try PortListener(in: 28_720...28_789, at: address)
            defer { listener.close() }
            #expect(!FreePort.isFree(listener.port, at: "127.0.0.1"))
            var request = request(directory)
            (request.hasEditor, request.hasApps) = (false, false)
            request.ranges.server = listener.port...listener.port
            #expect(throws: DockerRuntimeError.portRangeUsedUp(range: listener.port...listener.port)) {
                try PortReservation(request)
            }
            // The engine is elsewhere: this machine's sockets say nothing.
            request.address = nil
            let reservation = try PortReservation(request)
            #expect(reservation.ports.server.container == listener.port)
            reservation.release()
        }
    }

    @Test("An editor's port that is given is neither looked for nor locked")
    func givenEditor() async throws {
        try await withTemporaryDirectory { directory in
            var request = request(directory)
            request.hasApps = false
            request.editor = 41234
            let reservation = try PortReservation(request)
            #expect(reservation.ports.editor == PortAssignment(container: 41234, host: 41234))
            #expect(try files(directory).count == 1)
            reservation.release()
        }
    }

    @Test("Where there can't be locks, ports are chosen without them, and that is told")
    func withoutLocks() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appending(path: "file")
            try Data().write(to: file)
            let reservation = try PortReservation(request(file.appending(path: "locks")))
            #expect(Set(reservation.ports.all.map(\.container)).count == 4)
            #expect(reservation.warning?.contains("without locks") == true)
            #expect(reservation.warning?.contains("file/locks") == true)
        }
    }

    @Test("A lock file that a dead process left is no lock")
    func stale() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "port_28700.lock")
            try Data("28700\n".utf8).write(to: path)
            let lock = try PortLock(port: 28700, directory: directory.path)
            #expect(throws: PortLock.Failure.isTaken) { try PortLock(port: 28700, directory: directory.path) }
            withExtendedLifetime(lock) {}
        }
    }

    @Test("Another process's lock is respected while it lives, and is free when it is killed")
    func otherProcess() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appending(path: "port_28700.lock").path
            let output = directory.appending(path: "output")
            // With the lock on a descriptor of its own, as whoever has one.
            let holder = try ChildProcess(
                "/bin/sh",
                ["-c", "exec 9>'\(path)'; flock 9 && echo locked; exec sleep 1000"],
                output: output
            )
            try await holder.waits(for: "locked")
            #expect(throws: PortLock.Failure.isTaken) { try PortLock(port: 28700, directory: directory.path) }
            holder.signal(SIGKILL)
            #expect(await holder.exitStatus() == 128 + SIGKILL)
            let lock = try PortLock(port: 28700, directory: directory.path)
            withExtendedLifetime(lock) {}
        }
    }

    /// How many have a port at a time.
    private final class Holders: Sendable {
        private let count = Mutex(0)

        func enter() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }

        func leave() { count.withLock { $0 -= 1 } }
    }

    /// Takes a port's lock again and again.
    ///
    /// - Returns: how many had it at once, at most.
    private static func take(_ port: Int, in directory: String, times: Int, _ holders: Holders) async -> Int {
        var (taken, most) = (0, 0)
        while taken < times {
            if let lock = try? PortLock(port: port, directory: directory) {
                most = max(most, holders.enter())
                holders.leave()
                withExtendedLifetime(lock) {}
                taken += 1
            } else {
                await Task.yield()
            }
        }
        return most
    }

    @Test("Of many that take and give back one port, one has it at a time")
    func contention() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.path
            let counts = await withTaskGroup { group in
                let holders = Holders()
                for _ in 0..<4 {
                    group.addTask { await Self.take(28_700, in: path, times: 200, holders) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == [1, 1, 1, 1])
            let left = try files(directory)
            #expect(left.isEmpty)
        }
    }

    @Test("The lock files are those of the reference's runtimes, in the same place")
    func referenceFiles() {
        #expect(PortLock.standardDirectory.hasSuffix("/openhands_port_locks"))
    }

    @Test(
        "What engines say of a taken port is understood, whoever took it",
        arguments: [
            "driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:30001 failed: port is already allocated",
            "driver failed programming external connectivity on endpoint x: Error starting userland proxy: listen tcp4 127.0.0.1:30001: bind: address already in use",
            "failed to bind host port for 127.0.0.1:30001:172.17.0.2:30001/tcp: address already in use",
            "Ports are not available: exposing port TCP 127.0.0.1:30001 -> 0.0.0.0:0: listen tcp 127.0.0.1:30001",
        ]
    )
    func conflicts(_ message: String) {
        #expect(PortConflict.isTold(by: message))
        #expect(PortConflict.names(30001, in: message))
        #expect(!PortConflict.names(3000, in: message))
        #expect(!PortConflict.isTold(by: "no such container"))
    }
}
