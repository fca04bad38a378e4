#pragma once

#include <string_view>

namespace jobrunner::archive {

enum class kind { none, tar, zip };

/// What a file of that name is taken for: .tar, .tar.gz, .tgz, .tar.xz, .txz, .tar.lzma, .tlz,
/// .tar.zst, .tzst, .tar.bz2, .tbz2 and .zip, in any case of letters.
kind kind_of(std::string_view filename);

} // namespace jobrunner::archive
