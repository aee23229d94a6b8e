#pragma once

/// Writes the number of each delivered signal, as one byte, to a non-blocking descriptor; a full pipe drops it.
/// A handler that was there before is called too, and the calling thread no longer blocks the signal.
/// At most 4096 subscriptions for a process. Returns 0, or -1 with errno set.
/// In C because a signal handler may run no Swift code.
int platform_subscribe_signal(int signal_number, int descriptor);

/// Ends every subscription of a descriptor; call it before closing that descriptor.
void platform_unsubscribe_signals(int descriptor);

/// The id of a child that has exited and was not reaped, which it still isn't; 0 when there is none.
/// In C because the fields of siginfo_t are macros that differ per libc.
int platform_exited_child(void);

/// Makes orphaned descendants children of this process rather than of process 1, where the system can (Linux).
void platform_adopt_orphans(void);
