#pragma once

#include "archive/budget.hpp"

namespace jobrunner::archive {

/// Removes everything below the folder `top`, not the folder itself: also what lies in read-only
/// folders, as long as they are ours. Links are removed, never followed; a folder on another file
/// system stays. Goes on after what cannot be removed, and then throws failure{internal} that
/// names the first of it. Returns the files removed and the sum of their sizes.
totals remove_below(int top);

} // namespace jobrunner::archive
