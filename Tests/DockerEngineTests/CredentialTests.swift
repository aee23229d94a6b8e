import DockerEngine
import Foundation
import TestSupport
import Testing

/// What `docker login` has left, with helpers that are real programs.
@Suite("Registry credentials", .timeLimit(.minutes(1)))
struct CredentialTests {
    /// A configuration, and a directory of helpers in `PATH`.
    private struct Fixture {
        let directory: URL

        var store: RegistryCredentialStore {
            RegistryCredentialStore(environment: [
                "DOCKER_CONFIG": directory.path, "PATH": "\(directory.path):/usr/bin:/bin",
                "FIXTURE": directory.path,
            ])
        }

        func write(_ configuration: String) throws {
            try Data(configuration.utf8).write(to: directory.appending(path: "config.json"))
        }

        func writeHelper(_ name: String, _ script: String) throws {
            let path = directory.appending(path: "docker-credential-\(name)").path
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
    }

    private func withFixture(_ configuration: String, _ body: (Fixture) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            let fixture = Fixture(directory: directory)
            try fixture.write(configuration)
            try await body(fixture)
        }
    }

    private func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    @Test func areInTheFileByTheRegistryOfTheImage() async throws {
        let configuration = """
            {"auths": {
                "https://index.docker.io/v1/": {"auth": "\(base64("hub:p:w"))"},
                "git.example.com": {"auth": "\(base64("git:secret\0"))"},
                "https://old.example.com/v2/": {"username": "u", "password": "p"},
                "localhost:5000": {"auth": "\(base64("local:1"))", "identitytoken": "id"},
                "token.example.com": {"registrytoken": "rt"},
                "empty.example.com": {}, "broken.example.com": {"auth": "%%%"}, "half.example.com": {"auth": "\(base64("x"))"}
            }, "psFormat": "x"}
            """
        try await withFixture(configuration) { fixture in
            let table: [(String, RegistryCredentials?)] = [
                (
                    "debian",
                    RegistryCredentials(username: "hub", password: "p:w", serverAddress: "https://index.docker.io/v1/")
                ),
                (
                    "owner/image:1",
                    RegistryCredentials(username: "hub", password: "p:w", serverAddress: "https://index.docker.io/v1/")
                ),
                (
                    "docker.io/library/debian",
                    RegistryCredentials(username: "hub", password: "p:w", serverAddress: "https://index.docker.io/v1/")
                ),
                (
                    "git.example.com/a/b@sha256:00",
                    RegistryCredentials(username: "git", password: "secret", serverAddress: "git.example.com")
                ),
                (
                    "old.example.com/a",
                    RegistryCredentials(username: "u", password: "p", serverAddress: "old.example.com")
                ),
                (
                    "localhost:5000/a",
                    RegistryCredentials(
                        username: "local",
                        password: "1",
                        serverAddress: "localhost:5000",
                        identityToken: "id"
                    )
                ),
                ("token.example.com/a", RegistryCredentials(serverAddress: "token.example.com", registryToken: "rt")),
                ("empty.example.com/a", nil), ("broken.example.com/a", nil), ("half.example.com/a", nil),
                ("other.example.com/a", nil),
            ]
            for (image, expected) in table {
                let found = try await fixture.store.credentials(forImage: image)
                #expect(found == expected, "\(image)")
            }
        }
    }

    @Test func areAskedForOfHelpers() async throws {
        let configuration = """
            {"auths": {"git.example.com": {}, "kept.example.com": {"auth": "\(base64("in:file"))"}}, "credsStore": "all",
             "credHelpers": {"ecr.example.com": "ecr"}}
            """
        try await withFixture(configuration) { fixture in
            try fixture.writeHelper(
                "all",
                """
                [ "$*" = get ] || exit 9
                read -r server
                case $server in
                    git.example.com) echo '{"ServerURL":"git.example.com","Username":"git","Secret":"from helper"}' ;;
                    https://index.docker.io/v1/) echo '{"ServerURL":"x","Username":"<token>","Secret":"identity"}' ;;
                    *) echo 'credentials not found in native keychain'; exit 1 ;;
                esac
                """
            )
            try fixture.writeHelper("ecr", #"read -r s; printf '{"Username":"AWS","Secret":"%s"}' "$FIXTURE""#)
            let table: [(String, RegistryCredentials?)] = [
                (
                    "git.example.com/a",
                    RegistryCredentials(username: "git", password: "from helper", serverAddress: "git.example.com")
                ),
                ("a", RegistryCredentials(serverAddress: "https://index.docker.io/v1/", identityToken: "identity")),
                (
                    "ecr.example.com/a",
                    RegistryCredentials(
                        username: "AWS",
                        password: fixture.directory.path,
                        serverAddress: "ecr.example.com"
                    )
                ),
                (
                    "kept.example.com/a",
                    RegistryCredentials(username: "in", password: "file", serverAddress: "kept.example.com")
                ),
                ("none.example.com/a", nil),
            ]
            for (image, expected) in table {
                let found = try await fixture.store.credentials(forImage: image)
                #expect(found == expected, "\(image)")
            }
        }
    }

    @Test func thatCannotBeHadAreErrorsWithoutSecrets() async throws {
        let missing = RegistryCredentialStore(environment: ["DOCKER_CONFIG": "/nonexistent"])
        let none = try await missing.credentials(forImage: "debian")
        #expect(none == nil)
        try await withFixture("{") { fixture in
            await #expect(
                throws: RegistryCredentialError.unreadableConfiguration(path: "\(fixture.directory.path)/config.json")
            ) {
                try await fixture.store.credentials(forImage: "debian")
            }
            try fixture.write(#"{"credsStore": "gone"}"#)
            await #expect(throws: RegistryCredentialError.helperMissing(program: "docker-credential-gone")) {
                try await fixture.store.credentials(forImage: "debian")
            }
            try fixture.write(#"{"credsStore": "../../bin/evil"}"#)
            await #expect(throws: RegistryCredentialError.helperMissing(program: "docker-credential-../../bin/evil")) {
                try await fixture.store.credentials(forImage: "debian")
            }
            for (script, reason) in [
                ("echo locked; exit 3", "locked"), ("echo '{\"Secret\":\"hush\"'", "no JSON"), ("kill -9 $$", "9"),
            ] {
                try fixture.write(#"{"credsStore": "bad"}"#)
                try fixture.writeHelper("bad", script)
                let error = await #expect(throws: RegistryCredentialError.self) {
                    try await fixture.store.credentials(forImage: "debian")
                }
                #expect(error?.description.contains(reason) == true)
                #expect(error?.description.contains("hush") == false)
            }
        }
    }

    @Test func ofAHelperThatHangsAreGivenUpWithTheTask() async throws {
        try await withFixture(#"{"credsStore": "slow"}"#) { fixture in
            try fixture.writeHelper(
                "slow",
                "echo $$ > \"$FIXTURE/new\"; mv \"$FIXTURE/new\" \"$FIXTURE/pid\"; sleep 1000"
            )
            let task = Task { try await fixture.store.credentials(forImage: "debian") }
            let file = fixture.directory.appending(path: "pid").path
            try await until { FileManager.default.fileExists(atPath: file) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let text = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            let process = try #require(Int32(text))
            #expect(!isRunning(process))
        }
    }
}
