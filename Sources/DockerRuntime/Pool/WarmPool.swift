public import ActionExecutionClient
public import EventStream

/// Sandboxes that are started ahead, so that a runtime is there within milliseconds when one is wanted.
///
/// ```swift
/// let pool = WarmPool(configuration: .init(image: "debian:bookworm-slim"), size: 4)
/// try await pool.fill()
/// let runtime = try await pool.claim(eventStream: stream, sessionID: "42")
/// …
/// await runtime.close()
/// await pool.close()
/// ```
///
/// A claimed runtime is like one that was connected: it belongs to who claimed it, and outlives the pool. Claims in excess of what is
/// ready start a sandbox of their own. Idle sandboxes have their leases renewed by the pool; when this process is killed, they end like all
/// others.
public actor WarmPool {
    /// What sandboxes are made of.
    public nonisolated let configuration: DockerRuntime.Configuration

    /// A sandbox that waits to be claimed.
    private struct Idle {
        let sandbox: Sandbox
        /// Takes the sandbox out of the pool when its container ends.
        let watch: Task<Void, Never>
    }

    private let status: RuntimeStatusHub
    private var plan: RefillPlan
    /// In the order in which they came.
    private var idle: [Idle] = []
    /// What runs for the pool: starts, the pause after a failure, removals; each leaves it at its end.
    private var tasks: [Int: Task<Void, Never>] = [:]
    private var nextTask = 0
    private var keeper: Task<Void, Never>?
    /// Set when all are ready, or the pool is closed.
    private var fullness = OneShot<Void>()
    private var closing: Task<Void, Never>?

    /// Makes a pool; nothing is started before ``fill()`` or the first claim.
    ///
    /// - Parameters:
    ///   - size: how many sandboxes are to be ready; at least one.
    ///   - concurrentStarts: how many of them are started at a time.
    ///   - statusCallback: called for what becomes of starts: progress, failures with their reason, and when all are ready.
    public init(
        configuration: DockerRuntime.Configuration,
        size: Int,
        concurrentStarts: Int = 2,
        statusCallback: RuntimeStatusCallback? = nil
    ) {
        self.configuration = configuration
        plan = RefillPlan(size: max(1, size), concurrency: max(1, concurrentStarts))
        status = RuntimeStatusHub(callback: statusCallback)
    }

    /// The status updates from now on; each call gives a sequence of its own.
    public nonisolated var statusUpdates: AsyncStream<RuntimeStatusUpdate> { status.updates }

    /// How many sandboxes can be claimed at once.
    public var readyCount: Int { idle.count }

    /// Starts sandboxes and waits until all are ready; a start that fails is told by a status, and tried again.
    ///
    /// Returns early when the pool is closed.
    ///
    /// - Throws: `CancellationError`.
    public func fill() async throws {
        refill()
        guard closing == nil, idle.count < plan.size else { return }
        if fullness.current != nil { fullness = OneShot() }
        try await fullness.wait()
    }

    /// Takes a sandbox that is ready, seen to be well, or else starts one; the pool starts another in its place.
    ///
    /// - Parameters:
    ///   - eventStream: where actions come from and observations go; nil for ``DockerRuntime/execute(_:)`` only.
    ///   - sessionID: names the session and the container, as in ``DockerRuntime``.
    ///   - statusCallback: called for each status update of the runtime.
    /// - Returns: a runtime that is connected.
    /// - Throws: as ``DockerRuntime/connect()`` does; ``DockerRuntimeError/nameInUse(name:)`` leaves the sandbox in the pool;
    ///   `RuntimeError` when the pool was closed.
    public func claim(
        eventStream: EventStream? = nil,
        sessionID: String,
        statusCallback: RuntimeStatusCallback? = nil
    ) async throws -> DockerRuntime {
        while closing == nil, !idle.isEmpty {
            let candidate = idle.removeFirst()
            plan.take()
            // Not before: a start takes processors and the engine from the claim.
            defer { refill() }
            let name = configuration.containerNamePrefix + sessionID
            do {
                try await candidate.sandbox.take(as: name)
            } catch let error as DockerRuntimeError {
                await giveBack(candidate)
                throw error
            } catch {
                await remove(candidate)
                try Task.checkCancellation()
                continue
            }
            candidate.watch.cancel()
            let runtime = DockerRuntime(
                configuration: configuration,
                prepared: candidate.sandbox,
                eventStream: eventStream,
                sessionID: sessionID,
                statusCallback: statusCallback
            )
            try await runtime.connect()
            return runtime
        }
        guard closing == nil else { throw RuntimeError.cannotConnect(reason: "the pool was closed") }
        defer { refill() }
        let runtime = DockerRuntime(
            configuration: configuration,
            eventStream: eventStream,
            sessionID: sessionID,
            statusCallback: statusCallback
        )
        try await runtime.connect()
        return runtime
    }

    /// Removes the sandboxes that nobody has claimed, and ends all that runs for the pool.
    ///
    /// Claimed runtimes live on.
    public func close() async {
        if let closing { return await closing.value }
        let (running, left) = (Array(tasks.values), idle)
        idle = []
        let keeper = keeper
        let closing = Task {
            keeper?.cancel()
            for task in running { task.cancel() }
            await withTaskGroup { group in
                for member in left { group.addTask { await self.remove(member) } }
            }
            for task in running { await task.value }
            await keeper?.value
            status.publish(RuntimeStatusUpdate(.stopped))
            status.finish()
        }
        self.closing = closing
        fullness.set(())
        await closing.value
    }

    // MARK: Filling

    private func refill() {
        guard closing == nil else { return }
        keepAlive()
        for _ in 0..<plan.begin() { run { await self.startOne() } }
    }

    private func startOne() async {
        let sessionID = "pool-\(randomHexadecimal(byteCount: 8))"
        let start = SandboxStart(configuration: configuration, sessionID: sessionID, status: status)
        do {
            let sandbox = try await start.run()
            guard closing == nil else { return await remove(sandbox) }
            plan.succeed()
            admit(sandbox)
        } catch {
            guard closing == nil else { return }
            guard let pause = plan.fail() else { return }
            let seconds = Int((pause / .seconds(1)).rounded(.up))
            status.publish(
                RuntimeStatusUpdate(
                    .error,
                    level: .error,
                    message: "A sandbox for the pool did not start; the next try is in \(seconds) s: \(error)"
                )
            )
            run {
                guard (try? await Task.sleep(for: pause)) != nil else { return }
                await self.resume()
            }
        }
        refill()
    }

    private func resume() {
        plan.resume()
        refill()
    }

    private func admit(_ sandbox: Sandbox) {
        let watch = Task {
            guard let reason = try? await sandbox.exit() else { return }
            self.ended(sandbox, reason)
        }
        idle.append(Idle(sandbox: sandbox, watch: watch))
        guard idle.count == plan.size else { return }
        status.publish(RuntimeStatusUpdate(.ready, message: "\(idle.count) sandboxes are ready"))
        fullness.set(())
    }

    /// What was to be claimed couldn't be, for a reason that isn't the sandbox's.
    private func giveBack(_ member: Idle) async {
        guard closing == nil else { return await remove(member) }
        member.watch.cancel()
        plan.giveBack()
        admit(member.sandbox)
    }

    // MARK: Keeping

    /// Renews the leases, as a runtime does for its own sandbox.
    private func keepAlive() {
        guard keeper == nil else { return }
        let pause = Duration.seconds(configuration.lease / 3)
        keeper = Task {
            while (try? await Task.sleep(for: pause)) != nil {
                await withTaskGroup { group in
                    for member in idle { group.addTask { try? await member.sandbox.client.renewLease() } }
                }
            }
        }
    }

    /// A container has ended while it was idle.
    private func ended(_ sandbox: Sandbox, _ reason: String) {
        guard let index = idle.firstIndex(where: { $0.sandbox === sandbox }) else { return }
        idle.remove(at: index)
        plan.take()
        status.publish(RuntimeStatusUpdate(.starting, level: .warning, message: "Replacing a sandbox, since \(reason)"))
        run { await self.remove(sandbox) }
        refill()
    }

    private nonisolated func remove(_ member: Idle) async {
        member.watch.cancel()
        await member.watch.value
        await remove(member.sandbox)
    }

    private nonisolated func remove(_ sandbox: Sandbox) async {
        do {
            try await sandbox.remove()
        } catch {
            status.publish(.notRemoved(name: sandbox.name, error))
        }
    }

    /// Runs something that ``close()`` cancels and waits for.
    private func run(_ operation: @escaping @Sendable () async -> Void) {
        nextTask += 1
        let id = nextTask
        tasks[id] = Task {
            await operation()
            tasks[id] = nil
        }
    }
}

extension Sandbox {
    /// Sees to it that the server answers with the key, and gives the container its new name.
    fileprivate func take(as name: String) async throws {
        async let renaming: Void = rename(to: name)
        // One that doesn't answer at once isn't well, or starting another is quicker.
        let client = client
        try await firstOf({ try await client.renewLease() }) {
            try await Task.sleep(for: .seconds(1))
            throw RuntimeError.noResponse(seconds: 1)
        }
        try await renaming
    }
}
