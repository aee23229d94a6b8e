#pragma once

#include <stdint.h>

/// The descriptors of a pseudo-terminal, all close-on-exec.
typedef struct platform_pseudo_terminal {
    /// The controlling side; doesn't block.
    int controller;
    /// The side of programs, for the first of them.
    int terminal;
    /// The side of programs once more; doesn't block, which the programs don't notice.
    int monitor;
} platform_pseudo_terminal;

/// Opens a pseudo-terminal of the given size. In C because glibc hides ptsname_r.
/// Returns 0, or -1 with errno set and nothing left open.
int platform_open_pseudo_terminal(uint16_t rows, uint16_t columns, platform_pseudo_terminal *opened);

/// Gives the terminal the modes that a login shell finds: canonical input, signals by keys, output processing, and echo if asked.
/// Takes either side. In C because the flag macros import with differing types per libc. Returns 0, or -1 with errno set.
int platform_reset_terminal_modes(int descriptor, int echo);

/// The foreground process group of a terminal, given either side; -1 with errno set when there is none.
int platform_foreground_process_group(int descriptor);
