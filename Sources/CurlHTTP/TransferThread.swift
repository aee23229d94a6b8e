internal import CCurl

/// What the loop's thread owns: libcurl's handles and the transfers in flight.
///
/// Confined to that thread.
final class TransferThread {
    private let multi: UnsafeMutableRawPointer
    private let configuration: HTTPClientConfiguration
    private let loop: TransferLoop
    private var active: [UInt64: ActiveTransfer] = [:]
    private var identifiers: [UnsafeMutableRawPointer: UInt64] = [:]
    /// Handles to use again: a fresh one costs more than a request on loopback.
    private var spareHandles: [UnsafeMutableRawPointer] = []
    /// The transfers with an idle limit.
    private var idleLimited: Set<UInt64> = []
    /// Transfers whose reader or source may be able to go on after this round.
    private var touched: [Transfer] = []
    private let clock = ContinuousClock()

    private static let maximumSpareHandles = 32

    init(multi: UnsafeMutableRawPointer, configuration: HTTPClientConfiguration, loop: TransferLoop) {
        self.multi = multi
        self.configuration = configuration
        self.loop = loop
    }

    func run() {
        while true {
            loop.runJobs()
            let (commands, isOpen) = loop.takeCommands()
            for command in commands { perform(command) }
            guard isOpen else { break }
            var running: Int32 = 0
            let code = curl_multi_perform(multi, &running)
            collectFinished()
            endIdle()
            wakeTouched()
            if code != CURLM_OK || !sleep() { loop.shutDown() }
        }
        removeAll("the client ended before the exchange did")
        wakeTouched()
        for handle in spareHandles { curl_easy_cleanup(handle) }
        curl_multi_cleanup(multi)
        loop.finish()
    }

    /// Waits for a socket, a timer or a command; `false` if libcurl can't wait.
    private func sleep() -> Bool {
        // Not a timer of ours but the time to the nearest idle limit; without one, only an event ends the wait.
        let timeout = idleTimeout()
        guard loop.beginPolling() else { return true }
        return curl_multi_poll(multi, nil, 0, timeout, nil) == CURLM_OK
    }

    private func perform(_ command: TransferLoop.Command) {
        switch command {
        case .start(let transfer):
            start(transfer)
        case .remove(let id):
            remove(id, result: .failure(CancellationError()))
        case .removeAll:
            removeAll("the client was suspended before the exchange ended")
        case .resumeReceiving(let id):
            guard let transfer = active[id] else { return }
            transfer.resumeReceiving()
            touched.append(transfer.shared)
        case .resumeSending(let id):
            guard let transfer = active[id] else { return }
            transfer.resumeSending()
            touched.append(transfer.shared)
        }
    }

    private func start(_ transfer: Transfer) {
        guard let handle = spareHandles.popLast() ?? curl_easy_init() else {
            transfer.finish(.failure(transfer.request.error(.other, "libcurl can't make a handle: out of memory")))
            touched.append(transfer)
            return
        }
        let started = ActiveTransfer(handle: handle, shared: transfer, configuration: configuration) { [unowned self] in
            touched.append(transfer)
        }
        if let code = started.configure() {
            giveBack(handle)
            transfer.finish(.failure(transfer.request.error(.other, "an option was refused", curlCode: CurlCode(code))))
            touched.append(transfer)
            return
        }
        active[transfer.id] = started
        identifiers[handle] = transfer.id
        if transfer.request.request.timeouts.idle != nil { idleLimited.insert(transfer.id) }
        if curl_multi_add_handle(multi, handle) != CURLM_OK {
            remove(transfer.id, result: .failure(transfer.request.error(.other, "libcurl doesn't take the transfer")))
        }
    }

    private func removeAll(_ reason: String) {
        for (id, transfer) in active {
            remove(id, result: .failure(transfer.shared.request.error(.shutDown, reason)))
        }
    }

    private func remove(_ id: UInt64, result: Result<Void, any Error>) {
        guard let transfer = active.removeValue(forKey: id) else { return }
        identifiers[transfer.handle] = nil
        idleLimited.remove(id)
        curl_multi_remove_handle(multi, transfer.handle)
        giveBack(transfer.handle)
        transfer.shared.finish(result)
        touched.append(transfer.shared)
    }

    private func giveBack(_ handle: UnsafeMutableRawPointer) {
        // Also takes every pointer to the transfer out of the handle.
        curl_easy_reset(handle)
        if spareHandles.count < Self.maximumSpareHandles {
            spareHandles.append(handle)
        } else {
            curl_easy_cleanup(handle)
        }
    }

    private func collectFinished() {
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
            // The message dies with the handle's removal.
            let code = ccurl_msg_result(message)
            guard let id = identifiers[handle], let transfer = active[id] else { continue }
            remove(id, result: transfer.outcome(code).result(for: transfer.shared.request))
        }
    }

    private func wakeTouched() {
        while let transfer = touched.popLast() {
            active[transfer.id]?.releaseRefusedUpload()
            transfer.wake()
        }
    }

    private func endIdle() {
        guard !idleLimited.isEmpty else { return }
        let now = clock.now
        for id in idleLimited {
            guard let transfer = active[id], let deadline = transfer.idleDeadline, deadline <= now else { continue }
            transfer.abort = .idle
            remove(id, result: transfer.outcome(CURLE_OK).result(for: transfer.shared.request))
        }
    }

    /// Milliseconds to the nearest idle deadline, rounded up.
    private func idleTimeout() -> Int32 {
        guard let nearest = idleLimited.compactMap({ active[$0]?.idleDeadline }).min() else { return .max }
        return Int32(clamping: max(0, (nearest - clock.now).wholeMilliseconds))
    }
}

extension Duration {
    /// The duration in milliseconds, rounded up.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        let (whole, overflow) = Int(seconds).multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return whole + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
