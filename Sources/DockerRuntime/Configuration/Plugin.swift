extension DockerRuntime {
    /// What the agent has in the sandbox beside the shell and the files.
    public enum Plugin: String, Sendable, Hashable, CaseIterable {
        /// A Python interpreter that keeps its state; it gets the initial environment too.
        case jupyter
        /// The reference's Python functions for agents.
        case agentSkills = "agent_skills"
        /// An editor in the browser, on a published port of its own.
        case vscode
    }
}
