import EventStream

extension HTTPResponse {
    /// A JSON document.
    init(json: JSONObject, status: Int = 200) {
        self.init(json: json.serialized(), status: status)
    }

    /// The text of a JSON document.
    init(json: [UInt8], status: Int = 200) {
        self.init(status: status, headers: ["content-type": "application/json"], body: json)
    }

    /// An error as the reference writes it: `{"detail": …}`.
    init(detail: String, status: Int) {
        self.init(json: ["detail": .string(detail)], status: status)
    }
}
