#pragma once

#include <sys/types.h>

/// Starts a program without a terminal, in a process group of its own, with descriptors for its input and output (-1 for
/// none) and errors appended to a file. It inherits no other descriptor, no ignored signal and no signal mask. In C because
/// glibc hides the closing of descriptors.
/// Returns 0, or an error number; then no process is left.
int platform_spawn_child(
    const char *path,
    char *const *arguments,
    char *const *environment,
    int input,
    int output,
    const char *error_file,
    pid_t *process
);
