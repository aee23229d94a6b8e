public import Foundation

/// What the tests need and `scripts/test` provides through the environment.
public enum TestEnvironment {
    /// A thing that is missing, and how to get it.
    public struct Missing: Error, CustomStringConvertible {
        /// What is missing.
        public let description: String
    }

    /// The execution server as a static program: `ACTION_EXECUTION_SERVER`, else where `scripts/build-server` puts it.
    public static func serverBinary() throws -> String {
        try program("the execution server", variable: "ACTION_EXECUTION_SERVER") {
            Repository.root.appending(path: ".build-server/action-execution-server")
        }
    }

    /// The demo: `DEMO`, else the one that was built with the tests.
    public static func demo() throws -> String {
        try program("the demo", variable: "DEMO") {
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "Demo")
        }
    }

    /// A registry for images, the reference implementation of the distribution protocol: `TEST_REGISTRY`, else Debian's.
    public static func registry() throws -> String {
        try program("a registry", variable: "TEST_REGISTRY") { URL(fileURLWithPath: "/usr/bin/docker-registry") }
    }

    /// An image with bash: `TEST_IMAGE`.
    public static var image: String { value("TEST_IMAGE") ?? "swift-docker-runtime/debian:bookworm" }

    /// An image with a shell that isn't bash: `TEST_IMAGE_NO_BASH`.
    public static var imageWithoutBash: String { value("TEST_IMAGE_NO_BASH") ?? "swift-docker-runtime/busybox:latest" }

    private static func value(_ variable: String) -> String? {
        ProcessInfo.processInfo.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func program(_ what: String, variable: String, _ fallback: () -> URL) throws -> String {
        let path = value(variable) ?? fallback().path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(
                description: "\(path), \(what), isn't there. Run ./scripts/test, which builds it, or set \(variable)."
            )
        }
        return path
    }
}

/// The sources that the tests were built from.
public enum Repository {
    /// The repository's directory.
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
}
