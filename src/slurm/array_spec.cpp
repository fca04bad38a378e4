#include "slurm/array_spec.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace jobrunner::slurm {

namespace {

constexpr std::int64_t largest_index = 999'999'999;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw failure{errc::invalid, "array is " + shown(text) + "; " + why};
}

/// Digits alone, up to largest_index.
std::optional<std::int64_t> index_in(std::string_view text) {
  std::int64_t n = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, n);
  const bool whole = ec == std::errc{} && at == end && !text.empty() && text.front() != '-';
  return whole && n <= largest_index ? std::optional{n} : std::nullopt;
}

/// What comes before the first `mark`, which is removed from `rest` with it.
std::string_view take(std::string_view& rest, char mark) {
  const auto first = rest.substr(0, rest.find(mark));
  rest.remove_prefix(std::min(rest.size(), first.size() + 1));
  return first;
}

struct range {
  std::int64_t first = 0, last = 0, step = 1;
};

/// "7", "0-9" or "0-9:2"
std::optional<range> range_in(std::string_view item) {
  const bool with_step = item.find(':') != std::string_view::npos;
  auto step_text = item;
  const auto bounds = take(step_text, ':');
  auto last_text = bounds;
  const auto first = index_in(take(last_text, '-'));
  if (bounds.find('-') == std::string_view::npos)
    return first && !with_step ? std::optional{range{*first, *first, 1}} : std::nullopt;
  const auto last = index_in(last_text);
  const auto step = with_step ? index_in(step_text) : 1;
  if (!first || !last || !step || *step == 0 || *first > *last)
    return std::nullopt;
  return range{*first, *last, *step};
}

} // namespace

array_spec parse_array(std::string_view text, std::size_t most) {
  constexpr auto form = "it must be like 0-9, 1,3,5-7, 0-10:2 or 0-99%4";
  array_spec spec;
  auto limit = text;
  auto rest = take(limit, '%');
  if (rest.size() != text.size()) {
    const auto at_once = index_in(limit);
    if (!at_once || *at_once == 0)
      refuse(text, form);
    spec.at_once = *at_once;
  }
  do {
    const auto ends_so = rest.ends_with(',');
    const auto one = range_in(take(rest, ','));
    if (!one || (ends_so && rest.empty()))
      refuse(text, form);
    for (auto i = one->first; i <= one->last; i += one->step) {
      if (spec.indices.size() == most)
        refuse(text, "an array may have at most " + std::to_string(most) + " tasks");
      spec.indices.push_back(i);
    }
  } while (!rest.empty());
  std::ranges::sort(spec.indices);
  if (const auto twice = std::ranges::adjacent_find(spec.indices); twice != spec.indices.end())
    refuse(text, "it names " + std::to_string(*twice) + " twice");
  return spec;
}

std::vector<std::string> task_environment(const array_spec& spec, std::int64_t index) {
  const auto variable = [](const char* name, std::int64_t value) {
    return std::string{name} + "=" + std::to_string(value);
  };
  return {variable("JR_ARRAY_INDEX", index), variable("SLURM_ARRAY_TASK_ID", index),
          variable("SLURM_ARRAY_TASK_COUNT", static_cast<std::int64_t>(spec.indices.size())),
          variable("SLURM_ARRAY_TASK_MIN", spec.indices.front()),
          variable("SLURM_ARRAY_TASK_MAX", spec.indices.back())};
}

} // namespace jobrunner::slurm
