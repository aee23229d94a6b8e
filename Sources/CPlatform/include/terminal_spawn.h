#pragma once

#include <stddef.h>
#include <sys/types.h>

/// The step of a spawn that failed, in the order in which they are tried.
enum platform_spawn_step {
    platform_spawn_step_fork = 1,
    platform_spawn_step_session,
    platform_spawn_step_terminal,
    platform_spawn_step_descriptors,
    platform_spawn_step_user,
    platform_spawn_step_directory,
    platform_spawn_step_exec,
};

struct platform_spawn_request {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /// NULL keeps the directory.
    const char *directory;
    /// Becomes standard input, output and error, and the controlling terminal of a new session; -1 for none.
    int terminal;
    /// Without a terminal: become standard input, standard output and error, and descriptor 3.
    int input;
    int output;
    int channel;
    /// Nonzero: become `user` and `group` with the supplementary `groups`.
    int change_user;
    uid_t user;
    gid_t group;
    const gid_t *groups;
    size_t group_count;
};

/// Starts a process in a session of its own, and returns when its exec succeeded or failed.
/// One without a terminal is killed when the thread that started it ends, where the system can (Linux).
/// In C because only async-signal-safe calls are allowed between fork and exec.
/// Returns the process id, or -1 with errno set and the step that failed in `failed_step`; then no process is left.
pid_t platform_spawn(const struct platform_spawn_request *request, enum platform_spawn_step *failed_step);
