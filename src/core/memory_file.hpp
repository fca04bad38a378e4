// Text as an open file without a name: a descriptor to hand to another process, as large as
// needed, which nobody else can find.
#pragma once

#include "core/unique_fd.hpp"

#include <string_view>

namespace jobrunner {

/// A file in memory (memfd_create(2)) that holds `text`, to be read from its start. A process of
/// another user may open it anew as /dev/stdin, which it may not do with a pipe of ours.
/// Throws failure{internal}.
unique_fd memory_file(std::string_view text);

} // namespace jobrunner
