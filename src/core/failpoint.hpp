// Places at which a test lets the server die. They exist only in builds with JOBRUNNER_FAILPOINTS
// (the preset `failpoints`); in all others not even their names are left.
#pragma once

#ifdef JOBRUNNER_FAILPOINTS

namespace jobrunner {

/// Ends the process by SIGKILL if JR_FAILPOINT is "<name>", or "<name>:<n>" and this is the nth
/// time.
void failpoint(const char* name);

} // namespace jobrunner

#define JR_FAILPOINT(name) ::jobrunner::failpoint(name)
#else
#define JR_FAILPOINT(name) static_cast<void>(0)
#endif
