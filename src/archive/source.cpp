#include "archive/source.hpp"

#include "archive/filtered.hpp"
#include "archive/gunzip.hpp"
#include "core/error.hpp"

namespace jobrunner::archive {

std::unique_ptr<source> open_source(input& from, budget& spent) {
  const auto first = from.peek();
  if (first.empty())
    throw failure{errc::unprocessable, "The archive is empty: it has no bytes."};
  const bool gzip = first.size() > 1 && first[0] == std::byte{0x1f} && first[1] == std::byte{0x8b};
  if (gzip)
    return std::make_unique<gunzip>(from, spent);
  return std::make_unique<filtered>(from, spent);
}

} // namespace jobrunner::archive
