import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct WarmPoolTests {
    /// Lends a pool whose sandboxes have a label of the test's own; none of them may be left at the end.
    private func withPool(
        size: Int,
        _ configure: (inout DockerRuntime.Configuration) -> Void = { _ in },
        _ body: (WarmPool, TestSession, StatusRecorder) async throws -> Void
    ) async throws {
        try await withSession { session in
            var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
            configuration.options.labels["sdr.pool"] = session.id
            configure(&configuration)
            let statuses = StatusRecorder()
            let pool = WarmPool(configuration: configuration, size: size) { statuses.add($0) }
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(pool, session, statuses))
            } catch {
                result = .failure(error)
            }
            await pool.close()
            let left = try await containers(session)
            #expect(left.map(\.names) == [], "containers of the pool are left")
            for container in left { try? await session.engine.removeContainer(container.id, force: true) }
            try result.get()
        }
    }

    private func containers(_ session: TestSession) async throws -> [ContainerSummary] {
        try await session.engine.listContainers(all: true, filters: .labels(["sdr.pool": session.id]))
    }

    @Test("A claimed sandbox was there before, has the session's name and stream, and another takes its place")
    func claim() async throws {
        try await withPool(size: 1) { pool, session, statuses in
            try await pool.fill()
            #expect(await pool.readyCount == 1)
            let before = try await containers(session).map(\.id)
            let (stream, runtimeStatuses) = (EventStream(), StatusRecorder())
            let runtime = try await pool.claim(eventStream: stream, sessionID: session.id) { runtimeStatuses.add($0) }
            #expect(try await stream.run("echo hi")?.content == "hi")
            let container = try await session.engine.inspectContainer(runtime.containerName)
            #expect(before == [container.id])
            #expect(runtimeStatuses.statuses == [.starting, .ready])
            try await pool.fill()
            #expect(try await containers(session).count == 2)
            #expect(statuses.updates.contains { $0.status == .ready })
            await pool.close()
            // What was claimed outlives the pool.
            #expect(try await stream.run("echo still")?.content == "still")
            #expect(try await containers(session).map(\.id) == before)
            await runtime.close()
            await #expect(throws: RuntimeError.cannotConnect(reason: "the pool was closed")) {
                _ = try await pool.claim(sessionID: session.id)
            }
        }
    }

    @Test("Twenty claims at once get twenty sandboxes, more than are ready")
    func manyClaims() async throws {
        try await withPool(size: 4) { pool, session, _ in
            try await pool.fill()
            let answers = try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        let runtime = try await pool.claim(sessionID: "\(session.id)-\(number)")
                        let action = CommandAction(command: "echo \(number); hostname")
                        guard case .run(let result) = try await runtime.execute(.run(action)) else { return "" }
                        await runtime.close()
                        return result.content
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let lines = answers.map { $0.split(separator: "\n").map(String.init) }
            let numbers = lines.compactMap(\.first).compactMap { Int($0) }
            #expect(numbers.sorted() == Array(0..<20))
            #expect(Set(lines.compactMap(\.last)).count == 20)
            #expect(try await containers(session).count <= 4)
        }
    }

    @Test("A sandbox that ends while it is idle is replaced, and never claimed")
    func ended() async throws {
        try await withPool(size: 1) { pool, session, statuses in
            try await pool.fill()
            let first = try #require(try await containers(session).first)
            try await session.engine.killContainer(first.id)
            try await until { statuses.updates.contains { $0.message.hasPrefix("Replacing a sandbox") } }
            let runtime = try await pool.claim(sessionID: session.id)
            let claimed = try await session.engine.inspectContainer(runtime.containerName)
            #expect(claimed.id != first.id)
            await runtime.close()
        }
    }

    @Test("A sandbox that is frozen isn't well, so the claim gets another")
    func frozen() async throws {
        try await withPool(size: 1) { pool, session, _ in
            try await pool.fill()
            let first = try #require(try await containers(session).first)
            try await session.engine.pauseContainer(first.id)
            let runtime = try await pool.claim(sessionID: session.id)
            let claimed = try await session.engine.inspectContainer(runtime.containerName)
            #expect(claimed.id != first.id)
            await runtime.close()
        }
    }

    @Test("A name that is in use is the claim's error; the sandbox stays in the pool")
    func nameInUse() async throws {
        try await withPool(size: 1) { pool, session, _ in
            try await pool.fill()
            let first = try await pool.claim(sessionID: session.id)
            try await pool.fill()
            await #expect(throws: DockerRuntimeError.nameInUse(name: first.containerName)) {
                _ = try await pool.claim(sessionID: session.id)
            }
            try await pool.fill()
            #expect(await pool.readyCount >= 1)
            await first.close()
            let second = try await pool.claim(sessionID: session.id)
            #expect(try await session.engine.inspectContainer(second.containerName).state.isRunning)
            await second.close()
        }
    }

    @Test("A start that fails is told with its reason, and tried again later")
    func failing() async throws {
        try await withPool(size: 2) {
            $0.options.ociRuntime = "no-such-runtime"
        } _: { pool, session, statuses in
            async let filling: Void = pool.fill()
            try await until { statuses.updates.contains { $0.level == .error } }
            let told = try #require(statuses.updates.first { $0.level == .error })
            #expect(told.message.contains("no-such-runtime"))
            #expect(told.message.contains("the next try is in 1 s"))
            try await until { statuses.updates.count { $0.level == .error } >= 2 }
            #expect(statuses.updates.contains { $0.message.contains("the next try is in 1 s") })
            await #expect(throws: DockerEngineError.self) { _ = try await pool.claim(sessionID: session.id) }
            await pool.close()
            try await filling
        }
    }

    @Test("Idle sandboxes live on past their lease")
    func lease() async throws {
        try await withPool(size: 1) {
            $0.lease = 1.5
        } _: { pool, session, _ in
            try await pool.fill()
            let first = try #require(try await containers(session).first)
            // Longer than the lease by the server's own clock: a renewal fails once it has ended.
            try await until { try await session.engine.inspectContainer(first.id).age > 3 }
            let runtime = try await pool.claim(sessionID: session.id)
            #expect(try await session.engine.inspectContainer(runtime.containerName).id == first.id)
            await runtime.close()
        }
    }
}

extension ContainerInspection {
    /// Seconds since it was started, by this machine's clock.
    fileprivate var age: Double {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let start = state.startedAt.replacing(/\.(\d{3})\d*/) { ".\($0.output.1)" }
        return formatter.date(from: start).map { -$0.timeIntervalSinceNow } ?? 0
    }
}
