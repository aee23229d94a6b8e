#pragma once

/// Watches a directory for new names and a file in it for new data.
///
/// In C since the two systems' calls for it have nothing in common, and their constants are macros.
typedef struct {
    /// Can be polled for reading once something changed.
    int descriptor;
    /// What the system wants open for the watch; -1 where it doesn't.
    int directory;
    int file;
} cplatform_watch;

/// Begins to watch. Returns 0; or -1 with errno set, and then there is nothing to end.
int cplatform_watch_begin(cplatform_watch *watch, const char *directory, const char *file);

/// Takes away what there is to read, so that the descriptor is quiet until the next change.
void cplatform_watch_drain(const cplatform_watch *watch);

/// Ends the watch.
void cplatform_watch_end(cplatform_watch *watch);
