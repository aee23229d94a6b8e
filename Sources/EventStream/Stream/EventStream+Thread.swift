import Synchronization

extension EventStream {
    /// How long a batch waits for publishers at most: a small part of what a disk takes to answer.
    private static var gatheringMicroseconds: Int { 50 }

    /// Writes what is pending until nothing is, on the stream's own thread.
    func writeFromThread() {
        guard state.withLock({ $0.beginWriting() }) else { return }
        while true {
            if state.withLock({ $0.beginGathering() }) {
                thread?.waitForWake(microseconds: Self.gatheringMicroseconds)
            }
            var effects = StreamState.Effects()
            guard var batch = state.withLock({ $0.endGathering(&effects) }) else {
                effects.perform()
                return
            }
            do throws(EventStoreError) {
                let bytes = try store.append(batch.events)
                state.withLock { _ = $0.finish(&batch, bytes: bytes, &effects) }
            } catch {
                state.withLock { _ = $0.fail(error, ownTicket: nil, &effects) }
            }
            effects.perform()
        }
    }
}
