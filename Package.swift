// swift-tools-version: 6.2
import PackageDescription

/// Applied to every Swift target.
let settings: [SwiftSetting] = [
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
    .enableUpcomingFeature("ExistentialAny"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
    .enableUpcomingFeature("InternalImportsByDefault"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
    .enableUpcomingFeature("MemberImportVisibility"),
    // https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "swift-docker-runtime",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "EventStream", targets: ["EventStream"]),
        .library(name: "ActionExecutionClient", targets: ["ActionExecutionClient"]),
        .library(name: "ActionExecutionServer", targets: ["ActionExecutionServer"]),
        .library(name: "DockerEngine", targets: ["DockerEngine"]),
        .library(name: "DockerRuntime", targets: ["DockerRuntime"]),
        .executable(name: "action-execution-server", targets: ["action-execution-server"]),
        .executable(name: "Demo", targets: ["Demo"]),
        .executable(name: "Benchmarks", targets: ["Benchmarks"]),
    ],
    targets: [
        // C: only what Swift can't spell.
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CPlatform"),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),

        // Libraries. Each depends on those above it only.
        .target(name: "CurlHTTP", dependencies: ["CCurl"], swiftSettings: settings),
        .target(name: "EventStream", dependencies: ["CPlatform"], swiftSettings: settings),
        .target(name: "Archives", dependencies: ["CZlib"], swiftSettings: settings),
        .target(
            name: "ActionExecutionServer",
            dependencies: ["Archives", "CPlatform", "EventStream"],
            resources: [
                .embedInCode("Python/Kernel/kernel.py"), .embedInCode("Python/Kernel/plain.py"),
                .embedInCode("Python/Kernel/ipython.py"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ActionExecutionClient",
            dependencies: ["Archives", "CPlatform", "CurlHTTP", "EventStream"],
            swiftSettings: settings
        ),
        .target(name: "DockerEngine", dependencies: ["CPlatform", "CurlHTTP"], swiftSettings: settings),
        .target(
            name: "DockerRuntime",
            dependencies: ["ActionExecutionClient", "CurlHTTP", "DockerEngine", "EventStream"],
            swiftSettings: settings
        ),

        // Executables.
        .executableTarget(
            name: "action-execution-server",
            dependencies: ["ActionExecutionServer"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Demo",
            dependencies: ["ActionExecutionClient", "DockerEngine", "DockerRuntime", "EventStream"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "ActionExecutionClient", "CPlatform", "CurlHTTP", "DockerEngine", "DockerRuntime", "EventStream",
            ],
            resources: [.embedInCode("Reference/reference_events.py")],
            swiftSettings: settings
        ),

        // Tests: a target per module, and the whole against a real engine.
        .target(
            name: "TestSupport",
            dependencies: ["DockerEngine", "EventStream"],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        .target(name: "SocketTestServer", path: "Tests/SocketTestServer", swiftSettings: settings),
        .testTarget(name: "CurlHTTPTests", dependencies: ["CurlHTTP", "SocketTestServer"], swiftSettings: settings),
        .testTarget(
            name: "EventStreamTests",
            dependencies: ["EventStream", "TestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: settings
        ),
        .testTarget(name: "ArchivesTests", dependencies: ["Archives", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "ActionExecutionServerTests",
            dependencies: ["ActionExecutionServer", "Archives", "EventStream"],
            resources: [.copy("Fixtures")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ActionExecutionClientTests",
            dependencies: [
                "ActionExecutionClient", "ActionExecutionServer", "Archives", "CurlHTTP", "EventStream",
                "SocketTestServer", "TestSupport",
            ],
            resources: [.copy("Fixtures")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DockerEngineTests",
            dependencies: ["CurlHTTP", "DockerEngine", "SocketTestServer", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "DockerRuntimeTests",
            dependencies: [
                "ActionExecutionClient", "CurlHTTP", "DockerEngine", "DockerRuntime", "EventStream", "TestSupport",
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "ActionExecutionClient", "CurlHTTP", "DockerEngine", "DockerRuntime", "EventStream", "TestSupport",
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
