#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static int connect(posix_spawn_file_actions_t *actions, int descriptor, int standard, int flags) {
    if (descriptor < 0) return posix_spawn_file_actions_addopen(actions, standard, "/dev/null", flags, 0);
    return posix_spawn_file_actions_adddup2(actions, descriptor, standard);
}

static int describe(
    posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attributes,
    int input,
    int output,
    const char *error_file
) {
    int error = connect(actions, input, STDIN_FILENO, O_RDONLY);
    if (error == 0) error = connect(actions, output, STDOUT_FILENO, O_WRONLY);
    if (error == 0) {
        int flags = O_WRONLY | O_CREAT | O_APPEND;
        error = posix_spawn_file_actions_addopen(actions, STDERR_FILENO, error_file, flags, 0600);
    }
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
#if defined(__APPLE__)
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#elif defined(__GLIBC__)
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (error == 0) error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0) error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0) error = posix_spawnattr_setflags(attributes, flags);
    return error;
}

int platform_spawn_child(
    const char *path,
    char *const *arguments,
    char *const *environment,
    int input,
    int output,
    const char *error_file,
    pid_t *process
) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = describe(&actions, &attributes, input, output, error_file);
        if (error == 0) error = posix_spawn(process, path, &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}
