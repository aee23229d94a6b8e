import ActionExecutionClient
import Testing

@Suite(.timeLimit(.minutes(5)))
struct OneShotTests {
    private struct Failure: Error, Equatable { var number: Int }

    @Test("Every waiter gets the first value, whether it waits before or after it is set")
    func everyWaiter() async throws {
        let shot = OneShot<Int>()
        let values = try await withThrowingTaskGroup { group in
            for _ in 0..<100 { group.addTask { try await shot.wait() } }
            shot.set(1)
            shot.set(2)
            for _ in 0..<100 { group.addTask { try await shot.wait() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(values == Array(repeating: 1, count: 200))
        #expect(shot.current == 1)
    }

    @Test("A cancelled waiter throws, whenever the cancellation comes, and the others wait on")
    func cancelledWaiter() async throws {
        let shot = OneShot<Int>()
        for _ in 0..<500 {
            let waiter = Task { try await shot.wait() }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
        }
        let patient = Task { try await shot.wait() }
        shot.set(7)
        #expect(try await patient.value == 7)
    }

    @Test("Setting and cancelling at once leaves no waiter behind")
    func setAgainstCancel() async {
        for _ in 0..<500 {
            let shot = OneShot<Int>()
            let waiter = Task { try await shot.wait() }
            async let set: Void = shot.set(3)
            waiter.cancel()
            await set
            let result = await waiter.result
            #expect((try? result.get()) == 3 || (try? result.get()) == nil)
        }
    }

    @Test("The first result wins, and the other operation is cancelled and waited for")
    func firstResult() async throws {
        let hasEnded = OneShot<Bool>()
        let value = try await firstOf({ 1 }) {
            defer { hasEnded.set(Task.isCancelled) }
            try await OneShot<Void>().wait()
            return 2
        }
        #expect(value == 1)
        #expect(hasEnded.current == true)
    }

    @Test("The first failure wins")
    func firstFailure() async {
        await #expect(throws: Failure(number: 1)) {
            try await firstOf({ try await OneShot<Int>().wait() }) { throw Failure(number: 1) }
        }
    }

    @Test("Cancelling the task cancels both operations")
    func cancellation() async {
        let task = Task {
            try await firstOf({ try await OneShot<Int>().wait() }) { try await OneShot<Int>().wait() }
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
