// Answers and bodies that callers see only a part of.

/// An answer that is an id.
struct IdentifierAnswer: Decodable {
    var id: String

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
    }
}

/// The answer to `GET /volumes`.
struct VolumeList: Decodable {
    var volumes: [Volume]?

    private enum CodingKeys: String, CodingKey {
        case volumes = "Volumes"
    }
}

/// The answer to `POST /containers/{id}/wait`.
struct WaitAnswer: Decodable {
    struct Failure: Decodable {
        var message: String?

        private enum CodingKeys: String, CodingKey {
            case message = "Message"
        }
    }

    var exitCode: Int
    var failure: Failure?

    private enum CodingKeys: String, CodingKey {
        case exitCode = "StatusCode"
        case failure = "Error"
    }
}

/// The body of `POST /networks/{id}/connect`.
struct NetworkConnection: Encodable {
    var container: String
    var settings: EndpointSettings?

    private enum CodingKeys: String, CodingKey {
        case container = "Container"
        case settings = "EndpointConfig"
    }
}

/// A message of a stream that reports the failure of what the call began.
struct StreamedFailure: Decodable {
    struct Detail: Decodable { var message: String? }

    var errorDetail: Detail?
    var error: String?
}

/// The `NetworkingConfig` of a new container.
struct NetworkingConfiguration: Encodable {
    var endpoints: [String: EndpointSettings]

    private enum CodingKeys: String, CodingKey {
        case endpoints = "EndpointsConfig"
    }
}

/// The `meta.json` of a context of the docker command line.
struct ContextMetadata: Decodable {
    struct Endpoint: Decodable {
        var host: String?
        var skipsVerification: Bool?

        private enum CodingKeys: String, CodingKey {
            case host = "Host"
            case skipsVerification = "SkipTLSVerify"
        }
    }

    var name: String
    var endpoints: [String: Endpoint]

    private enum CodingKeys: String, CodingKey {
        case name = "Name"
        case endpoints = "Endpoints"
    }
}
