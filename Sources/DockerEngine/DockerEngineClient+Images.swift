public import CurlHTTP

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension DockerEngineClient {
    /// `GET /images/{name}/json`: all about an image.
    ///
    /// - Throws: ``DockerEngineError`` that `isNotFound` if the engine doesn't have it.
    public func inspectImage(_ reference: String) async throws -> ImageInspection {
        try await decode(EngineCall("GET", "/images/\(image: reference)/json"))
    }

    /// Whether the engine has an image: `GET /images/{name}/json`.
    public func imageExists(_ reference: String) async throws -> Bool {
        do {
            try await perform(EngineCall("GET", "/images/\(image: reference)/json"))
            return true
        } catch let error as DockerEngineError where error.isNotFound {
            return false
        }
    }

    /// `GET /images/json`: the images.
    ///
    /// - Parameter filters: such as `["reference": ["name:*"], "label": ["a=b"], "dangling": ["true"]]`.
    public func listImages(filters: EngineFilters = [:]) async throws -> [ImageSummary] {
        var call = EngineCall("GET", "/images/json")
        try call.add(filters)
        return try await decode(call)
    }

    /// `POST /images/create?fromImage=`: pulls an image from its registry.
    ///
    /// Iterate to the end: that is when the image is there. Letting go of the sequence stops the pull.
    ///
    /// ```swift
    /// for try await progress in try await engine.pullImage("debian:12") { print(progress.status) }
    /// ```
    ///
    /// - Parameters:
    ///   - reference: name with tag or digest; the tag is `latest` if there is neither.
    ///   - platform: such as `linux/arm64`; the engine's own if `nil`.
    ///   - credentials: what the registry asks for.
    /// - Throws: ``DockerEngineError/api(status:message:call:)`` if the registry can't be reached or doesn't have it (the status is 404 or,
    ///   with Docker 20.10, 500); while iterating, ``DockerEngineError/operationFailed(message:call:)`` if the pull fails later.
    public func pullImage(
        _ reference: String,
        platform: String? = nil,
        credentials: RegistryCredentials? = nil
    ) async throws -> EngineMessages<ImageProgress> {
        var call = EngineCall("POST", "/images/create")
        // Without a tag the engine would pull all that there are.
        let lastPart = reference.split(separator: "/").last ?? ""
        call.add("fromImage", reference)
        if !lastPart.contains(":") && !lastPart.contains("@") { call.add("tag", "latest") }
        call.add("platform", platform)
        if let credentials { call.headers["X-Registry-Auth"] = try credentials.header(call: call.name) }
        return try await operation(call)
    }

    /// `POST /images/{name}/push`: uploads an image to the registry that its name begins with.
    ///
    /// Iterate to the end: that is when it is there.
    ///
    /// - Parameter reference: the name without tag.
    /// - Throws: while iterating, ``DockerEngineError/operationFailed(message:call:)`` if the registry refuses it.
    public func pushImage(
        _ reference: String,
        tag: String,
        credentials: RegistryCredentials? = nil
    ) async throws -> EngineMessages<ImageProgress> {
        var call = EngineCall("POST", "/images/\(image: reference)/push")
        call.add("tag", tag)
        // The engine wants the header in any case.
        call.headers["X-Registry-Auth"] = try (credentials ?? RegistryCredentials()).header(call: call.name)
        return try await operation(call)
    }

    /// `POST /images/{name}/tag`: gives an image one more name.
    public func tagImage(_ reference: String, repository: String, tag: String) async throws {
        var call = EngineCall("POST", "/images/\(image: reference)/tag")
        call.add("repo", repository)
        call.add("tag", tag)
        try await perform(call)
    }

    /// `DELETE /images/{name}`: removes a tag, and with the last one the image.
    ///
    /// - Parameters:
    ///   - force: also when stopped containers use it, or when other tags of the id remain.
    ///   - keepsParents: whether untagged parents stay.
    /// - Throws: ``DockerEngineError`` that `isConflict` if it is in use.
    @discardableResult
    public func removeImage(
        _ reference: String,
        force: Bool = false,
        keepsParents: Bool = false
    ) async throws -> [ImageRemoval] {
        var call = EngineCall("DELETE", "/images/\(image: reference)")
        call.add("force", force)
        call.add("noprune", keepsParents)
        return try await decode(call)
    }

    /// `POST /images/create?fromSrc=-`: makes an image of one layer from a tar archive of a root file system.
    ///
    /// - Parameters:
    ///   - archive: the archive, plain or compressed with gzip, bzip2 or xz.
    ///   - changes: Dockerfile instructions for its configuration, such as `CMD ["/bin/sh"]` and `LABEL a=b`.
    /// - Returns: the id of the image.
    public func importImage(
        _ archive: HTTPRequest.Body,
        repository: String,
        tag: String,
        changes: [String] = []
    ) async throws -> String {
        var call = EngineCall("POST", "/images/create")
        call.add("fromSrc", "-")
        call.add("repo", repository)
        call.add("tag", tag)
        for change in changes { call.add("changes", change) }
        call.setBody(archive: archive)
        var last: String?
        for try await progress in try await operation(call) as EngineMessages<ImageProgress> { last = progress.status }
        guard let last, last.hasPrefix("sha256:") else {
            throw DockerEngineError.decoding(
                call: call.name,
                body: last ?? "",
                reason: "no image id at the end of the stream"
            )
        }
        return last
    }

    /// `GET /images/{name}/get`: an image with its layers and tags as a tar archive.
    public func saveImage(_ reference: String) async throws -> HTTPResponse.Body {
        var call = EngineCall("GET", "/images/\(image: reference)/get")
        call.timeLimit = .none
        return try await open(call).body
    }

    /// `POST /images/load`: takes images from an archive that ``saveImage(_:)`` made.
    ///
    /// - Returns: what the engine says about each, such as `Loaded image: name:tag`.
    @discardableResult
    public func loadImages(_ archive: HTTPRequest.Body) async throws -> [String] {
        var call = EngineCall("POST", "/images/load")
        call.add("quiet", true)
        call.setBody(archive: archive)
        var lines: [String] = []
        for try await message in try await operation(call) as EngineMessages<BuildProgress> {
            if let text = message.stream { lines += text.split(separator: "\n").map(String.init) }
        }
        return lines
    }

    /// `POST /commit`: makes an image from a container's file system, without its volumes.
    ///
    /// - Parameters:
    ///   - configuration: what its configuration has in place of the container's, where it isn't `nil`; variables and labels are put
    ///     over the container's. Unlike instructions, it can take an entrypoint away.
    ///   - changes: Dockerfile instructions for its configuration.
    ///   - pauses: whether the container is frozen meanwhile, so that files are not caught half-written.
    /// - Returns: the id of the image.
    public func commitContainer(
        _ id: String,
        repository: String? = nil,
        tag: String? = nil,
        comment: String? = nil,
        configuration: ContainerConfiguration? = nil,
        changes: [String] = [],
        pauses: Bool = true
    ) async throws -> String {
        var call = EngineCall("POST", "/commit")
        if let configuration { try call.setBody(configuration) }
        call.timeLimit = .none
        call.add("container", id)
        call.add("repo", repository)
        call.add("tag", tag)
        call.add("comment", comment)
        for change in changes { call.add("changes", change) }
        call.add("pause", pauses ? "1" : "0")
        return try await decode(call, as: IdentifierAnswer.self).id
    }

    /// `POST /build`: builds an image from a Dockerfile and its context.
    ///
    /// Iterate to the end: that is when the image is there. Letting go of the sequence stops the build.
    ///
    /// - Parameter context: a tar archive with the Dockerfile and the files that it uses.
    /// - Throws: while iterating, ``DockerEngineError/operationFailed(message:call:)`` if the build fails.
    public func buildImage(
        _ context: HTTPRequest.Body,
        options: BuildOptions
    ) async throws -> EngineMessages<BuildProgress> {
        var call = EngineCall("POST", "/build")
        for tag in options.tags { call.add("t", tag) }
        call.add("dockerfile", options.dockerfile)
        call.add("target", options.target)
        call.add("platform", options.platform)
        call.add("networkmode", options.networkMode)
        for host in options.hosts { call.add("extrahosts", host) }
        call.add("nocache", !options.usesCache)
        call.add("pull", options.pullsBaseImages)
        call.add("rm", "1")
        call.add("forcerm", "1")
        for (name, values) in [("buildargs", options.arguments), ("labels", options.labels)] where !values.isEmpty {
            call.add(name, String(decoding: try EngineJSON.encode(values, call: call.name), as: UTF8.self))
        }
        call.setBody(archive: context)
        if !options.credentials.isEmpty {
            let json = try EngineJSON.encode(options.credentials, call: call.name)
            call.headers["X-Registry-Config"] = Data(json).base64URL
        }
        return try await operation(call)
    }

    /// A call whose messages may include the failure of what it began.
    private func operation<Message: Decodable & Sendable>(_ call: EngineCall) async throws -> EngineMessages<Message> {
        let name = call.name
        return try await messages(call) { line throws(DockerEngineError) in
            let failure = try EngineJSON.decode(StreamedFailure.self, from: line, call: name)
            if let message = failure.errorDetail?.message ?? failure.error {
                throw .operationFailed(message: message, call: name)
            }
            return try EngineJSON.decode(from: line, call: name)
        }
    }
}

extension RegistryCredentials {
    /// The value of `X-Registry-Auth`: JSON in URL-safe base64 (RFC 4648, section 5).
    fileprivate func header(call: String) throws(DockerEngineError) -> String {
        Data(try EngineJSON.encode(self, call: call)).base64URL
    }
}

extension Data {
    fileprivate var base64URL: String {
        String(base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}
