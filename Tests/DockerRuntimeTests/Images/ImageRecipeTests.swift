import ActionExecutionClient
import DockerEngine
import Foundation
import Testing

@testable import DockerRuntime

/// What an image is called and built from, and what its build writes, without an engine.
@Suite
struct ImageRecipeTests {
    private func recipe(
        base: String = "debian:12",
        baseID: String = "sha256:aa",
        baseUser: String = "",
        platform: String? = nil,
        extraDependencies: String? = "pip install numpy",
        arguments: [String] = [],
        serverHash: String = "0123456789abcdef"
    ) throws -> ImageRecipe {
        ImageRecipe(
            base: base,
            baseID: baseID,
            baseUser: baseUser,
            platform: platform,
            extraDependencies: extraDependencies,
            arguments: try BuildArguments(parsing: arguments),
            repository: "repo",
            serverHash: serverHash
        )
    }

    @Test("The tag changes with all that can change the content, and with nothing else")
    func tags() throws {
        let tag = try recipe().lockTag
        #expect(tag.wholeMatch(of: /v1_[0-9a-f]{16}/) != nil)
        let others = [
            try recipe(baseID: "sha256:bb"), try recipe(platform: "linux/arm64"), try recipe(extraDependencies: nil),
            try recipe(extraDependencies: "pip install  numpy"), try recipe(arguments: ["A=b"]),
            try recipe(arguments: ["A=bc"]), try recipe(arguments: ["--label=A=b"]),
            try recipe(arguments: ["--network=host"]), try recipe(arguments: ["--add-host=a:127.0.0.1"]),
        ].map(\.lockTag)
        #expect(Set(others + [tag]).count == 10)
        let same = [
            try recipe(base: "mine"), try recipe(arguments: ["--no-cache", "--pull"]), try recipe(serverHash: "00"),
        ].map(\.lockTag)
        #expect(Set(same) == [tag])
        #expect(try recipe(arguments: ["A=1", "B=2"]).lockTag == recipe(arguments: ["B=2", "A=1"]).lockTag)
        #expect(try recipe().image == "repo:\(tag)_0123456789abcdef")
        #expect(try recipe(base: "registry.example.com/A/b:1").versionedTag == "v1_registry.example.com_s_a_s_b_t_1")
        #expect(try recipe(base: String(repeating: "x", count: 500)).versionedTag.count <= 128)
    }

    @Test("Commands of any text are one instruction, which root carries out; the image's user stays")
    func dockerfile() throws {
        let script = "echo \"a\"\necho 'b' \\\n  c # ü"
        #expect(
            try recipe(extraDependencies: script, arguments: ["B=2", "A=1"]).dependenciesDockerfile
                == """
                FROM debian:12
                ARG A
                ARG B
                RUN ["/bin/sh","-ec","echo \\"a\\"\\necho 'b' \\\\\\n  c # ü"]

                """
        )
        let lines = try recipe(baseUser: "app:app").dependenciesDockerfile.split(separator: "\n")
        #expect(lines[1] == "USER 0")
        #expect(lines.last == "USER app:app")
        #expect(try recipe(extraDependencies: nil).dependenciesDockerfile == "FROM debian:12\n")
        #expect(try recipe().serverDockerfile.hasPrefix("FROM repo:v1_"))
    }

    @Test("A build's arguments are those of the docker command")
    func arguments() throws {
        let arguments = try BuildArguments(parsing: [
            "A=b=c", "--build-arg=C=", "--build-arg", "D=e f", "--network", "none", "--add-host=h:127.0.0.1",
            "--add-host", "i:::1", "--label=l=m", "--no-cache", "--pull",
        ])
        #expect(arguments.values == ["A": "b=c", "C": "", "D": "e f"])
        #expect(arguments.network == "none")
        #expect(arguments.hosts == ["h:127.0.0.1", "i:::1"])
        #expect(arguments.labels == ["l": "m"])
        #expect(!arguments.usesCache)
        #expect(arguments.pulls)
    }

    @Test(
        "An argument that the engine doesn't know is an error that names it",
        arguments: [
            "--squash", "--secret=id=x", "x", "=a", "A-B=c", "--build-arg", "--build-arg=A", "--add-host=a",
            "--network=",
        ]
    )
    func badArgument(word: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try BuildArguments(parsing: ["A=b", word]) }
        #expect(error?.description.contains("\"\(word)\"") == true)
        var configuration = DockerRuntime.Configuration(image: "x")
        configuration.imagePreparation = .build(DockerRuntime.ImageBuild(arguments: [word]))
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
    }

    @Test("A repository that can't be one is refused", arguments: ["", "Upper", "a b", "a/", "/a", "a:1"])
    func badRepository(name: String) {
        var configuration = DockerRuntime.Configuration(image: "x")
        configuration.imagePreparation = .build(DockerRuntime.ImageBuild(repository: name))
        #expect(throws: ConfigurationError.self) { try configuration.validate() }
    }

    @Test("A build's output is lines with the step that they belong to, wherever the pieces end")
    func output() {
        let text = "Step 1/3 : FROM debian\n ---> abc\nStep 2/3 : RUN make\nhalf\rwhole\r\n\nSTEP 3/3: COPY a b\nlast"
        for size in 1...text.count {
            var output = BuildOutput()
            var lines: [BuildOutput.Line] = []
            var rest = text[...]
            while !rest.isEmpty {
                lines += output.receive(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(lines.map(\.text).contains(["half"]))
            #expect(lines.last?.text == "STEP 3/3: COPY a b")
            #expect(lines.last?.progress == RuntimeStatusUpdate.Progress(completed: 2, total: 3))
            #expect(output.step == "COPY a b")
            #expect(output.end.hasSuffix("COPY a b\nlast"))
        }
        var long = BuildOutput()
        _ = long.receive((1...100).map { "\($0)\n" }.joined())
        #expect(long.end.split(separator: "\n").count == 20)
        #expect(long.end.hasSuffix("100"))
        #expect(long.step == nil)
    }

    @Test("A pull's progress never goes back, and unpacking isn't counted again")
    func pull() throws {
        var progress = PullProgress()
        let messages = [
            #"{"status":"Pulling from image","id":"1"}"#,
            #"{"status":"Downloading","id":"a","progressDetail":{"current":10,"total":100}}"#,
            #"{"status":"Downloading","id":"b","progressDetail":{"current":1,"total":50}}"#,
            #"{"status":"Download complete","id":"a","progressDetail":{}}"#,
            #"{"status":"Extracting","id":"a","progressDetail":{"current":1,"total":100}}"#,
            #"{"status":"Already exists","id":"c","progressDetail":{}}"#,
            #"{"status":"Pull complete","id":"b","progressDetail":{}}"#,
            #"{"status":"Status: Downloaded newer image"}"#,
        ]
        let sums = try messages.compactMap {
            progress.receive(try JSONDecoder().decode(ImageProgress.self, from: Data($0.utf8)))
        }
        #expect(sums.map(\.completed) == [10, 11, 101, 150])
        #expect(sums.map(\.total) == [100, 150, 150, 150])
    }

    @Test(
        "An image is for the platform that is asked for, or not",
        arguments: [
            ("linux/amd64", true), ("amd64", true), ("linux/x86_64", true), ("linux/amd64/v2", true),
            ("linux/arm64", false),
            ("windows/amd64", false), ("arm/v7", false),
        ]
    )
    func platform(text: String, fits: Bool) throws {
        let json = #"{"Id":"sha256:aa","Size":1,"Architecture":"amd64","Os":"linux"}"#
        let image = try JSONDecoder().decode(ImageInspection.self, from: Data(json.utf8))
        #expect(ImagePlatform(text).fits(image) == fits)
    }
}
