#pragma once

#include <stdint.h>

/// Opens a pseudo-terminal of the given size. Both descriptors are close-on-exec; the controlling side doesn't block.
/// In C because glibc hides ptsname_r. Returns 0, or -1 with errno set and nothing left open.
int platform_open_pseudo_terminal(uint16_t rows, uint16_t columns, int *controller, int *terminal);

/// Gives the terminal the modes that a login shell finds: canonical input, signals by keys, output processing, and echo if asked.
/// Takes either side. In C because the flag macros import with differing types per libc. Returns 0, or -1 with errno set.
int platform_reset_terminal_modes(int descriptor, int echo);

/// The foreground process group of a terminal, given either side; -1 with errno set when there is none.
int platform_foreground_process_group(int descriptor);
