import Synchronization

extension EventStream {
    /// What is registered, and what finds it.
    struct Secrets {
        /// The secrets by name, with those that they replaced.
        var values: [String: Set<String>] = [:]
        var masker: SecretMasker?
    }

    /// What stands in place of a secret in events.
    public static var secretPlaceholder: String { SecretMasker.placeholder }

    /// Sets the secrets that no store and no subscriber may see from now on.
    ///
    /// In each event that is published, `<secret_hidden>` takes their place in every text: at any depth, in names of members too, also where the secret
    /// is escaped for JSON or encoded in base64. Ids, times, sources, causes and kinds stay as they are. What is in the stream already isn't changed.
    ///
    /// - Parameter secrets: The secrets by name, in place of all that were set before; those that are empty are left out.
    public func setSecrets(_ secrets: [String: String]) {
        changeSecrets { $0 = secrets.mapValues { [$0] } }
    }

    /// Adds secrets to those there are; see ``setSecrets(_:)``.
    ///
    /// A secret that one of the same name replaces stays masked: it may still be around in the sandbox.
    public func updateSecrets(_ secrets: [String: String]) {
        changeSecrets { values in
            for (name, secret) in secrets { values[name, default: []].insert(secret) }
        }
    }

    private func changeSecrets(_ change: (inout [String: Set<String>]) -> Void) {
        secrets.withLock { secrets in
            change(&secrets.values)
            secrets.masker = SecretMasker(secrets.values.values.joined())
            hasSecrets.store(secrets.masker != nil, ordering: .releasing)
        }
    }

    /// What finds the secrets; `nil` where there are none.
    var currentMasker: SecretMasker? {
        hasSecrets.load(ordering: .acquiring) ? secrets.withLock { $0.masker } : nil
    }

    /// An action as it was published, with its secrets, for whoever executes it.
    ///
    /// It is kept in memory only, until an observation with the action as its cause is published, or it is forgotten, or the stream is closed.
    ///
    /// - Returns: `nil` when nothing was masked in the action, or it isn't kept any more.
    public func unmaskedAction(for id: Int) -> Action? {
        state.withLock { $0.original(id) }
    }

    /// Forgets an action that will have no observation.
    public func forgetUnmaskedAction(for id: Int) {
        state.withLock { $0.forgetOriginal(id) }
    }

    /// Masks secrets and returns what the action was before, when it was changed.
    func mask(_ event: inout Event) -> Action? {
        guard let masker = currentMasker else { return nil }
        let original = event.action
        event.mask(with: masker)
        return original == event.action ? nil : original
    }

    /// Masks secrets and returns what changed actions were before, by position.
    func mask(_ events: inout [Event]) -> [Int: Action] {
        var originals: [Int: Action] = [:]
        guard let masker = currentMasker else { return originals }
        for index in events.indices {
            let original = events[index].action
            events[index].mask(with: masker)
            if let original, original != events[index].action { originals[index] = original }
        }
        return originals
    }
}
