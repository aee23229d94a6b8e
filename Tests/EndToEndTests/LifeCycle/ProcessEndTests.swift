import ActionExecutionClient
import DockerEngine
import EventStream
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

@Suite(.timeLimit(.minutes(5)))
struct ProcessEndTests {
    @Test("P9: a process that exits without closing its runtime leaves no container")
    func exit() async throws {
        try await withSession { session in
            await #expect(processExitsWith: .exitCode(7)) { [id = session.id as String] in
                try await connectedRuntime(id)
                Foundation.exit(7)
            }
            // At once, and not by its lease.
            let containers = try await session.containers()
            #expect(containers.isEmpty)
        }
    }

    @Test("P9: signals that end a process end its sandboxes first, if asked to", arguments: [SIGTERM, SIGINT])
    func signals(_ number: Int32) async throws {
        try await withSession { session in
            await #expect(processExitsWith: .signal(number)) { [id = session.id as String, number = number as Int32] in
                DockerRuntime.closeAll(on: [SIGTERM, SIGINT])
                try await connectedRuntime(id)
                kill(getpid(), number)
                while true { try await Task.sleep(for: .seconds(1)) }
            }
            let containers = try await session.containers()
            #expect(containers.isEmpty)
        }
    }

    @Test("P9: a process that is killed at any moment of connecting leaves nothing for long", arguments: 0..<5)
    func killedWhileConnecting(moment: Int) async throws {
        try await withSession { session in
            await #expect(processExitsWith: .signal(SIGKILL)) { [id = session.id as String, moment = moment as Int] in
                let session = TestSession(
                    id: id,
                    engine: try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                )
                var configuration = try session.configuration(image: TestEnvironment.imageWithoutBash)
                configuration.lease = 3
                let runtime = DockerRuntime(configuration: configuration, sessionID: id) { update in
                    let fatal: [RuntimeStatus] = [.starting, .started, .ready]
                    if moment < fatal.count, update.status == fatal[moment] { kill(getpid(), SIGKILL) }
                }
                let connecting = Task { try await runtime.connect() }
                if moment >= 3 {
                    // Made and not started yet, with luck; and started and not ready yet.
                    try await until {
                        try await session.containers().first?.status == (moment == 3 ? .created : .running)
                    }
                    kill(getpid(), SIGKILL)
                }
                try await connecting.value
            }
            // What runs ends with its lease, and what doesn't is swept away.
            try await until {
                try await OrphanSweep(engine: session.engine).run()
                return try await session.containers().isEmpty
            }
        }
    }

    @Test("P9: a session whose process was killed can be begun anew at once, under the same name")
    func predecessor() async throws {
        try await withSession { session in
            await #expect(processExitsWith: .signal(SIGKILL)) { [id = session.id as String] in
                try await connectedRuntime(id)
                kill(getpid(), SIGKILL)
            }
            let before = try await session.containers()
            #expect(before.count == 1)
            let runtime = DockerRuntime(
                configuration: try session.configuration(image: TestEnvironment.imageWithoutBash),
                sessionID: session.id
            )
            try await runtime.connect()
            let after = try await session.containers()
            #expect(after.count == 1)
            #expect(after.first?.id != before.first?.id)
            await runtime.close()
        }
    }

    @Test("P9: a sandbox that is paused when its process is killed is removed by the next process's sweep")
    func pausedOrphan() async throws {
        try await withSession { session in
            await #expect(processExitsWith: .signal(SIGKILL)) { [id = session.id as String] in
                let runtime = try await connectedRuntime(id)
                try await runtime.pause()
                let engine = try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
                // Not yet killed, so a sweep of another process leaves it alone.
                guard try await engine.inspectContainer(runtime.containerName).state.isPaused else { return }
                kill(getpid(), SIGKILL)
            }
            // Another process may come first.
            try await OrphanSweep(engine: session.engine).run()
            let containers = try await session.containers()
            #expect(containers.isEmpty)
        }
    }

    @Test("P10: a sweep leaves alone what is kept, what is a living process's, and what says nothing of an owner")
    func sweepLeavesAlone() async throws {
        try await withSession { session in
            var dead = ProcessIdentity.current
            dead.boot = "0"
            var elsewhere = dead
            elsewhere.machine = "0"
            let (session, id) = (session, session.id)
            func container(_ labels: [String: String]) async throws -> String {
                var request = ContainerRequest(image: TestEnvironment.imageWithoutBash, command: ["sleep", "1000"])
                request.host.networkMode = "none"
                request.configuration.labels = labels.merging([Labels.session: id]) { $1 }
                return try await session.engine.createContainer(request).id
            }
            let orphan = try await container([Labels.owner: dead.text, Labels.role: Labels.fillerRole])
            let left = [
                try await container([Labels.owner: dead.text, Labels.role: Labels.sandboxRole, Labels.kept: ""]),
                try await container([Labels.owner: elsewhere.text, Labels.role: Labels.sandboxRole]),
                try await container([Labels.owner: Owner.name, Labels.role: Labels.fillerRole]),
                try await container([Labels.owner: "somebody", Labels.role: Labels.fillerRole]),
                try await container([:]),
            ]
            try await OrphanSweep(engine: session.engine).run()
            let containers = Set(try await session.containers().map(\.id))
            #expect(containers == Set(left))
            #expect(!containers.contains(orphan))
            for container in left { try await session.engine.removeContainer(container, force: true) }
        }
    }
}

/// A runtime in a process of its own, for a test of its end.
@discardableResult
private func connectedRuntime(_ id: String) async throws -> DockerRuntime {
    let session = TestSession(
        id: id,
        engine: try DockerEngineClient(environment: ProcessInfo.processInfo.environment)
    )
    let runtime = DockerRuntime(
        configuration: try session.configuration(image: TestEnvironment.imageWithoutBash),
        sessionID: id
    )
    try await runtime.connect()
    return runtime
}
