import Testing

@testable import DockerRuntime

/// The notation of `SANDBOX_VOLUMES`.
@Suite
struct MountNotationTests {
    typealias Mount = DockerRuntime.SandboxMount

    @Test(
        "A mount has a path or a volume as its source, a target, and maybe a mode",
        arguments: [
            ("/src:/dst", Mount(.path("/src"), at: "/dst")),
            ("/src:/dst:rw", Mount(.path("/src"), at: "/dst")),
            ("/src:/dst:ro", Mount(.path("/src"), at: "/dst", isReadOnly: true)),
            ("/src:/dst:z", Mount(.path("/src"), at: "/dst", relabeling: .shared)),
            ("/src:/dst:Z", Mount(.path("/src"), at: "/dst", relabeling: .own)),
            ("/src:/dst:overlay", Mount(.overlay("/src"), at: "/dst")),
            ("cache:/c", Mount(.volume("cache"), at: "/c")),
            ("cache:/c:ro", Mount(.volume("cache"), at: "/c", isReadOnly: true)),
            ("volume:cache:/c", Mount(.volume("cache"), at: "/c")),
            ("volume:cache:/c:ro", Mount(.volume("cache"), at: "/c", isReadOnly: true)),
            ("volume:/c", Mount(.volume("volume"), at: "/c")),
            ("volume:/c:ro", Mount(.volume("volume"), at: "/c", isReadOnly: true)),
            (" /with space : /dst ", Mount(.path("/with space"), at: "/dst")),
        ]
    )
    func one(_ text: String, _ mount: Mount) throws {
        #expect(try MountNotation.mounts(text) == [mount])
        // What is written of it is read as the same.
        #expect(try MountNotation.mounts(mount.description) == [mount])
    }

    @Test("Commas separate mounts")
    func several() throws {
        #expect(
            try MountNotation.mounts("/a:/x, cache:/y:ro,/b:/z:overlay") == [
                Mount(.path("/a"), at: "/x"), Mount(.volume("cache"), at: "/y", isReadOnly: true),
                Mount(.overlay("/b"), at: "/z"),
            ]
        )
    }

    @Test(
        "What can't be a mount is refused, with the text and the reason",
        arguments: [
            ("/src", "expected SOURCE:TARGET"), ("", "expected SOURCE:TARGET"), ("/a:/b:rw:x", "expected"),
            ("/a:/b,", "expected"), (":/b", "part of it is empty"), ("/a:", "part of it is empty"),
            ("/a:/b:", "part of it is empty"), ("./src:/dst", "is relative"), ("../src:/dst", "is relative"),
            ("src/sub:/dst", "is relative"), ("~/src:/dst", "is relative"), (".:/dst", "is relative"),
            ("volume:/a:/b", "is unknown"), ("x:/dst", "no volume's name"), ("a b:/dst", "no volume's name"),
            ("_cache:/dst", "no volume's name"), ("/src:dst", "target dst is relative"),
            ("/src:/", "hide the whole image"),
            ("/src:///.", "hide the whole image"), ("/src:/a/../..", ".. in it"),
            ("/src:/dst:rx", "mode rx is unknown"),
            ("/src:/dst:RO", "mode RO is unknown"), ("cache:/dst:overlay", "for paths of the host"),
            ("cache:/dst:z", "for paths of the host"),
        ]
    )
    func bad(_ text: String, _ reason: String) throws {
        let error = try #require(throws: ConfigurationError.self) { try MountNotation.mounts("/good:/good,\(text)") }
        #expect("\(error)".contains(reason), "\(error)")
    }
}
