#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "terminal_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

struct failure {
    int error;
    enum platform_spawn_step step;
};

static void report_and_exit(int pipe_end, enum platform_spawn_step step) {
    struct failure failure = {errno, step};
    ssize_t ignored = write(pipe_end, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

/// What a program embeds the server in may have left open without close-on-exec must not reach the shell.
static void close_from(int first, int kept) {
#if defined(__linux__) && defined(SYS_close_range)
    int closed = kept <= first || syscall(SYS_close_range, (unsigned)first, (unsigned)kept - 1, 0U) == 0;
    if (closed && syscall(SYS_close_range, (unsigned)kept + 1, ~0U, 0U) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int descriptor = first; descriptor < limit; descriptor++) {
        if (descriptor != kept) close(descriptor);
    }
}

/// Gives the process its descriptors. Returns the first that is to be closed, or -1.
static int take_descriptors(const struct platform_spawn_request *request) {
    if (request->terminal >= 0) {
        for (int descriptor = 0; descriptor <= 2; descriptor++) {
            if (dup2(request->terminal, descriptor) < 0) return -1;
        }
        return 3;
    }
    int sources[] = {request->input, request->output, request->output, request->channel};
    // Out of the way first: one of them may have a number that another one gets.
    for (int index = 0; index <= 3; index++) {
        sources[index] = fcntl(sources[index], F_DUPFD_CLOEXEC, 4);
        if (sources[index] < 0) return -1;
    }
    for (int descriptor = 0; descriptor <= 3; descriptor++) {
        if (dup2(sources[descriptor], descriptor) < 0) return -1;
    }
    return 4;
}

static void run_child(const struct platform_spawn_request *request, int pipe_end) {
    // Handlers are reset by exec, but ignored signals and the mask are inherited: a shell must find neither.
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        if (number != SIGKILL && number != SIGSTOP) sigaction(number, &by_default, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (setsid() < 0) report_and_exit(pipe_end, platform_spawn_step_session);
    if (request->terminal >= 0 && ioctl(request->terminal, TIOCSCTTY, 0) != 0) {
        report_and_exit(pipe_end, platform_spawn_step_terminal);
    }
    int moved = fcntl(pipe_end, F_DUPFD_CLOEXEC, 4);
    if (moved >= 0) pipe_end = moved;
    int first = moved < 0 ? -1 : take_descriptors(request);
    if (first < 0) report_and_exit(pipe_end, platform_spawn_step_descriptors);
    close_from(first, pipe_end);
    if (request->change_user) {
        // Groups before the user: afterwards there is no right to change them.
        if (setgroups(request->group_count, request->groups) != 0 || setgid(request->group) != 0
            || setuid(request->user) != 0) {
            report_and_exit(pipe_end, platform_spawn_step_user);
        }
    }
    if (request->directory != NULL && chdir(request->directory) != 0) {
        report_and_exit(pipe_end, platform_spawn_step_directory);
    }
#ifdef __linux__
    // After the change of user, which would undo it.
    if (request->terminal < 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    execve(request->path, request->arguments, request->environment);
    report_and_exit(pipe_end, platform_spawn_step_exec);
}

/// A pipe that no program inherits. In one call where the system has it: a program that another thread starts between
/// two calls would keep the pipe open, and the end of its report would never come.
static int make_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC);
#else
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

pid_t platform_spawn(const struct platform_spawn_request *request, enum platform_spawn_step *failed_step) {
    *failed_step = platform_spawn_step_fork;
    int ends[2];
    if (make_pipe(ends) != 0) return -1;

    // A handler of the parent must not run in the child before its handlers are reset.
    sigset_t all, previous;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous);
    pid_t child = fork();
    if (child == 0) {
        run_child(request, ends[1]);
    }
    int fork_error = errno;
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        errno = fork_error;
        return -1;
    }

    struct failure failure;
    ssize_t count;
    do {
        count = read(ends[0], &failure, sizeof failure);
    } while (count < 0 && errno == EINTR);
    close(ends[0]);
    if (count != (ssize_t)sizeof failure) return child;

    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    *failed_step = failure.step;
    errno = failure.error;
    return -1;
}
