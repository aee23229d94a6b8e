internal import CCurl

/// A transfer that libcurl is working on: its handle, its callbacks, and what they saw.
///
/// Confined to the loop's thread.
final class ActiveTransfer {
    let handle: UnsafeMutableRawPointer
    let shared: Transfer
    /// Why a callback or the loop ended the transfer.
    var abort: TransferOutcome.Abort?

    private var headParser: ResponseHeadParser
    private let noteChange: () -> Void
    private var attempts = 0
    private var sawResponse = false
    private var sawHead = false
    private var isRefused = false
    private var isReceivingPaused = false
    private var isSendingPaused = false
    private var lastProgress: (moved: Int64, at: ContinuousClock.Instant)?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutableBufferPointer<CChar>

    /// - Parameter noteChange: called when the reader or the source may be able to go on.
    init(
        handle: UnsafeMutableRawPointer,
        shared: Transfer,
        configuration: HTTPClientConfiguration,
        noteChange: @escaping () -> Void
    ) {
        self.handle = handle
        self.shared = shared
        self.noteChange = noteChange
        self.configuration = configuration
        headParser = ResponseHeadParser(limit: configuration.maximumResponseHeadSize)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0)
    }

    private let configuration: HTTPClientConfiguration

    deinit {
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// The instant at which the idle limit is reached; `nil` if there is none, or while it doesn't run.
    var idleDeadline: ContinuousClock.Instant? {
        guard let idle = shared.request.request.timeouts.idle, let lastProgress else { return nil }
        return isReceivingPaused || isSendingPaused ? nil : lastProgress.at + idle
    }

    func outcome(_ code: CURLcode) -> TransferOutcome {
        var connects = 0
        _ = ccurl_easy_getinfo_long(handle, CURLINFO_NUM_CONNECTS, &connects)
        var systemError = 0
        _ = ccurl_easy_getinfo_long(handle, CURLINFO_OS_ERRNO, &systemError)
        return TransferOutcome(
            code: CurlCode(code),
            detail: errorText.baseAddress.map { String(cString: $0) } ?? "",
            sawResponse: sawResponse,
            sawHead: sawHead,
            attempts: attempts,
            // An attempt that opened no connection used a kept-alive one.
            connectionWasReused: attempts > connects,
            systemErrorNumber: systemError == 0 ? nil : Int32(truncatingIfNeeded: systemError),
            abort: abort
        )
    }

    func resumeReceiving() {
        guard isReceivingPaused else { return }
        isReceivingPaused = false
        noteProgress()
        // Delivers what libcurl holds back from within this call, which may pause again.
        curl_easy_pause(handle, isSendingPaused ? CURLPAUSE_SEND : CURLPAUSE_CONT)
    }

    func resumeSending() {
        guard isSendingPaused else { return }
        isSendingPaused = false
        noteProgress()
        curl_easy_pause(handle, isReceivingPaused ? CURLPAUSE_RECV : CURLPAUSE_CONT)
    }

    /// Lets a refused exchange end.
    ///
    /// After an answer of 400 or more libcurl gives the rest of the request's body up, but if it was waiting for the body's source
    /// at that moment it goes on to wait (seen with 7.88.1).
    func releaseRefusedUpload() {
        if isRefused { resumeSending() }
    }

    private func noteProgress() {
        guard let moved = lastProgress?.moved else { return }
        lastProgress = (moved, .now)
    }

    // MARK: Callbacks

    /// Called before each time that the request is sent: the only place where libcurl's own re-send can be seen and prevented.
    fileprivate func willSend() -> Bool {
        attempts += 1
        if attempts > 1 && !shared.request.request.resend.allows(method: shared.request.request.method) {
            abort = .resendNotAllowed
            return false
        }
        if shared.request.request.timeouts.idle != nil { lastProgress = (0, .now) }
        return true
    }

    fileprivate func receiveHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        sawResponse = true
        noteProgress()
        // Trailers come here too.
        guard !sawHead else { return true }
        do {
            guard var head = try headParser.receive(line: line) else { return true }
            head.attempts = attempts
            sawHead = true
            isRefused = head.status >= 400
            shared.receiveHead(head)
            noteChange()
            return true
        } catch {
            abort = .invalidHead(error)
            return false
        }
    }

    fileprivate func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        noteChange()
        isReceivingPaused = !shared.receive(bytes)
        return !isReceivingPaused
    }

    fileprivate func sendBody(into target: UnsafeMutableRawBufferPointer) -> RequestBuffer.Read {
        noteChange()
        let read = shared.readBody(into: target)
        isSendingPaused = read == .pause
        return read
    }

    fileprivate func progress(moved: Int64) {
        guard let last = lastProgress, moved != last.moved else { return }
        lastProgress = (moved, .now)
    }
}

// MARK: - Options

extension ActiveTransfer {
    /// Sets every option of the request; returns libcurl's code if one is refused.
    func configure() -> CURLcode? {
        let prepared = shared.request
        let request = prepared.request
        var options = OptionSetter(handle: handle)

        options.set(CURLOPT_NOSIGNAL, 1)
        options.set(CURLOPT_ERRORBUFFER, pointer: errorText.baseAddress)
        options.set(CURLOPT_URL, request.url)
        options.set(CURLOPT_PATH_AS_IS, 1)
        options.set(CURLOPT_PROTOCOLS_STR, "http,https")
        options.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        options.set(CURLOPT_TCP_NODELAY, 1)
        options.set(CURLOPT_TCP_KEEPALIVE, 1)
        options.set(CURLOPT_BUFFERSIZE, 128 * 1024)
        options.set(CURLOPT_FRESH_CONNECT, request.reusesConnection ? 0 : 1)
        if let path = request.unixSocketPath { options.set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if prepared.bypassesProxy || !configuration.usesProxyFromEnvironment { options.set(CURLOPT_PROXY, "") }

        options.set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(request.timeouts.connect) ?? Int(Int32.max))
        if let total = Self.milliseconds(request.timeouts.total) { options.set(CURLOPT_TIMEOUT_MS, total) }

        if let tls = request.tls { options.set(tls) }
        setBody(request, &options)

        for line in prepared.headerLines {
            guard let list = curl_slist_append(headerList, line) else { return CURLE_OUT_OF_MEMORY }
            headerList = list
        }
        if case .stream(_, nil) = request.body.content {
            guard let list = curl_slist_append(headerList, "Transfer-Encoding: chunked") else {
                return CURLE_OUT_OF_MEMORY
            }
            headerList = list
        }
        options.note(ccurl_easy_setopt_slist(handle, CURLOPT_HTTPHEADER, headerList))

        setCallbacks(&options)
        return options.failure
    }

    private func setBody(_ request: HTTPRequest, _ options: inout OptionSetter) {
        switch request.body.content {
        case .none where request.method == "HEAD":
            options.set(CURLOPT_NOBODY, 1)
        case .none where !["POST", "PUT", "PATCH"].contains(request.method):
            options.set(CURLOPT_HTTPGET, 1)
            options.set(CURLOPT_CUSTOMREQUEST, request.method)
        case .none:
            options.setPost([], method: request.method)
        // libcurl sends up to 64 KiB (its MAX_INITIAL_POST_SIZE) in one packet with the head. It copies them.
        case .bytes(let bytes) where bytes.count <= 64 * 1024:
            options.setPost(bytes, method: request.method)
        case .bytes(let bytes):
            options.setUpload(length: bytes.count, method: request.method)
        case .stream(_, let length):
            options.setUpload(length: length, method: request.method)
        }
    }

    private func setCallbacks(_ options: inout OptionSetter) {
        // The loop keeps the object alive while the handle is in use.
        let context = Unmanaged.passUnretained(self).toOpaque()
        options.note(
            ccurl_easy_set_header_function(handle) { bytes, size, count, context in
                guard let transfer = ActiveTransfer.from(context) else { return 0 }
                let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return transfer.receiveHeader(line) ? line.count : 0
            }
        )
        options.set(CURLOPT_HEADERDATA, pointer: context)
        options.note(
            ccurl_easy_set_write_function(handle) { bytes, size, count, context in
                guard let transfer = ActiveTransfer.from(context) else { return 0 }
                let chunk = UnsafeRawBufferPointer(start: bytes, count: size * count)
                return transfer.receiveBody(chunk) ? chunk.count : Int(CURL_WRITEFUNC_PAUSE)
            }
        )
        options.set(CURLOPT_WRITEDATA, pointer: context)
        options.note(
            ccurl_easy_set_read_function(handle) { bytes, size, count, context in
                guard let transfer = ActiveTransfer.from(context) else { return Int(CURL_READFUNC_ABORT) }
                switch transfer.sendBody(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count)) {
                case .bytes(let count): return count
                case .end: return 0
                case .pause: return Int(CURL_READFUNC_PAUSE)
                }
            }
        )
        options.set(CURLOPT_READDATA, pointer: context)
        options.note(
            ccurl_easy_set_seek_function(handle) { context, offset, origin in
                guard let transfer = ActiveTransfer.from(context), origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
                return transfer.shared.rewindBody(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
            }
        )
        options.set(CURLOPT_SEEKDATA, pointer: context)
        options.note(
            ccurl_easy_set_prereq_function(handle) { context, _, _, _, _ in
                guard let transfer = ActiveTransfer.from(context) else { return CURL_PREREQFUNC_ABORT }
                return transfer.willSend() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            }
        )
        options.set(CURLOPT_PREREQDATA, pointer: context)
        if shared.request.request.timeouts.idle != nil {
            options.note(
                ccurl_easy_set_xferinfo_function(handle) { context, _, received, _, sent in
                    ActiveTransfer.from(context)?.progress(moved: Int64(received + sent))
                    return 0
                }
            )
            options.set(CURLOPT_XFERINFODATA, pointer: context)
            options.set(CURLOPT_NOPROGRESS, 0)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> ActiveTransfer? {
        context.map { Unmanaged<ActiveTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// At least 1, since 0 means "no limit" to libcurl.
    private static func milliseconds(_ duration: Duration?) -> Int? {
        duration.map { min(max(1, $0.wholeMilliseconds), Int(Int32.max)) }
    }
}

/// Sets options and remembers the first refusal.
private struct OptionSetter {
    let handle: UnsafeMutableRawPointer
    private(set) var failure: CURLcode?

    init(handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    mutating func note(_ code: CURLcode) {
        if code != CURLE_OK && failure == nil { failure = code }
    }

    mutating func set(_ option: CURLoption, _ value: Int) {
        note(ccurl_easy_setopt_long(handle, option, value))
    }

    mutating func set(_ option: CURLoption, _ value: String) {
        note(ccurl_easy_setopt_string(handle, option, value))
    }

    mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        note(ccurl_easy_setopt_pointer(handle, option, pointer))
    }

    mutating func set(_ tls: TLSConfiguration) {
        if let file = tls.authorityFile { set(CURLOPT_CAINFO, file) }
        if let file = tls.certificateFile { set(CURLOPT_SSLCERT, file) }
        if let file = tls.keyFile { set(CURLOPT_SSLKEY, file) }
        set(CURLOPT_SSL_VERIFYPEER, tls.verifiesPeer ? 1 : 0)
        // 2 checks the name, 0 doesn't; 1 is an error (CURLOPT_SSL_VERIFYHOST).
        set(CURLOPT_SSL_VERIFYHOST, tls.verifiesHostName ? 2 : 0)
    }

    mutating func setPost(_ bytes: [UInt8], method: String) {
        set(CURLOPT_POST, 1)
        note(ccurl_easy_setopt_off_t(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
        bytes.withUnsafeBytes { buffer in
            // An empty array may have no address, and without an address libcurl would read from the callback.
            withUnsafeBytes(of: UInt8(0)) { empty in
                let source = buffer.isEmpty ? empty.baseAddress : buffer.baseAddress
                note(
                    ccurl_easy_setopt_pointer(handle, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: source))
                )
            }
        }
        if method != "POST" { set(CURLOPT_CUSTOMREQUEST, method) }
    }

    mutating func setUpload(length: Int?, method: String) {
        set(CURLOPT_UPLOAD, 1)
        note(ccurl_easy_setopt_off_t(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)))
        if method != "PUT" { set(CURLOPT_CUSTOMREQUEST, method) }
    }
}
