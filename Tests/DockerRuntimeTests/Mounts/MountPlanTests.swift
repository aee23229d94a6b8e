import DockerEngine
import Foundation
import TestSupport
import Testing

@testable import DockerRuntime

/// How mounts are put to the engine, and which are refused.
@Suite
struct MountPlanTests {
    private func plan(
        _ mounts: String,
        _ configure: (inout MountPlan.Context) -> Void = { _ in }
    ) throws -> MountPlan {
        var context = MountPlan.Context(containerName: "box")
        configure(&context)
        return try MountPlan(MountNotation.mounts(mounts), context)
    }

    private func refusal(
        _ mounts: String,
        _ configure: (inout MountPlan.Context) -> Void = { _ in }
    ) throws -> String {
        "\(try #require(throws: ConfigurationError.self) { try plan(mounts, configure) })"
    }

    @Test("Paths and volumes are mounted in the long notation, which doesn't make a missing path")
    func plain() throws {
        #expect(
            try plan("/src:/a:ro,cache:/b/").mounts == [
                Mount(kind: .bind, source: "/src", target: "/a", isReadOnly: true),
                Mount(kind: .volume, source: "cache", target: "/b", isReadOnly: false),
            ]
        )
    }

    @Test("SELinux labels take the short notation")
    func labels() throws {
        #expect(try plan("/src:/a:z,/src:/b:Z").binds == ["/src:/a:z", "/src:/b:Z"])
    }

    @Test("An overlay is an anonymous volume, with directories of the container and of the mount's place in the list")
    func overlay() throws {
        let plan = try plan("/one:/x,/src:/dst:overlay") { $0.overlayDirectory = "/overlays" }
        let mount = try #require(plan.mounts.last)
        #expect(mount.kind == .volume)
        #expect(mount.source == nil)
        #expect(mount.target == "/dst")
        #expect(
            mount.volumeOptions?.driver
                == VolumeDriver(
                    name: "local",
                    options: [
                        "type": "overlay", "device": "overlay",
                        "o": "lowerdir=/src,upperdir=/overlays/box/1/upper,workdir=/overlays/box/1/work",
                    ]
                )
        )
        #expect(plan.directories == ["/overlays/box/1/upper", "/overlays/box/1/work"])
    }

    @Test("An overlay without a directory for its changes is an error, not left out")
    func overlayWithoutDirectory() throws {
        #expect(try refusal("/src:/dst:overlay").contains("SANDBOX_VOLUME_OVERLAYS"))
        #expect(try refusal("/src:/dst:overlay") { $0.overlayDirectory = "relative" }.contains("from / on"))
        #expect(try refusal("/s\\rc:/dst:overlay") { $0.overlayDirectory = "/o" }.contains("backslash"))
        #expect(
            try refusal("/src:/dst:overlay") {
                $0.overlayDirectory = "/o"
                $0.isLocal = false
            }.contains("another machine")
        )
    }

    @Test("A directory for changes that can't be made is named")
    func overlayDirectory() throws {
        let plan = try plan("/src:/dst:overlay") { $0.overlayDirectory = "/dev/null/overlays" }
        let error = try #require(throws: ConfigurationError.self) { try plan.makeDirectories() }
        #expect("\(error)".contains("/dev/null/overlays/box/0/upper"))
    }

    @Test(
        "Two mounts can't have one target, however it is written",
        arguments: ["/a:/x,/b:/x", "/a:/x,/b:/x/", "/a:/x/y,/b://x/./y", "/a:/x,cache:/x"]
    )
    func duplicates(_ mounts: String) throws {
        #expect(try refusal(mounts).contains("another mount has the target"))
    }

    @Test("Nothing is mounted over the execution server")
    func server() throws {
        #expect(try refusal("/a:/.action-execution-server").contains("the execution server is there"))
        #expect(try refusal("/a:/.action-execution-server/x").contains("the execution server is there"))
        #expect(try plan("/a:/.action-execution-serverx").mounts.count == 1)
    }

    @Test(
        "P11: the engine's socket, or a directory that has it, is mounted only when that is allowed",
        arguments: [
            "/var/run/docker.sock:/s", "/run/docker.sock:/s:ro", "/:/host:ro", "/var:/v", "/run:/r", "/var/run/:/r",
            "/run/../run/docker.sock:/s", "/run/containerd:/c", "/run:/r:overlay",
        ]
    )
    func engineSocket(_ mount: String) throws {
        let text = try refusal(mount) { $0.overlayDirectory = "/o" }
        #expect(text.contains("the whole machine"))
        #expect(text.contains("allowsEngineSocket"))
        let allowed = try plan(mount) {
            $0.overlayDirectory = "/o"
            $0.allowsEngineSocket = true
        }
        #expect(allowed.mounts.count == 1)
    }

    @Test("P11: the socket isn't reached by a symbolic link either, nor where this engine has it")
    func engineSocketByLink() async throws {
        try await withTemporaryDirectory { directory in
            let socket = directory.appending(path: "engine.sock").path
            let link = directory.appending(path: "link").path
            try Data().write(to: URL(fileURLWithPath: socket))
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: socket)
            for path in [socket, link, directory.path] {
                #expect(try refusal("\(path):/s") { $0.engineSockets = [socket] }.contains(socket))
            }
            #expect(try plan("\(directory.path)/other:/s") { $0.engineSockets = [socket] }.mounts.count == 1)
        }
    }

    @Test("A mount that is made in code is checked like one that is written")
    func code() throws {
        let mount = DockerRuntime.SandboxMount(.path("relative"), at: "/x")
        #expect(throws: ConfigurationError.self) { try MountPlan([mount], .init(containerName: "box")) }
    }
}
