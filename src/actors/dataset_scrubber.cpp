#include "actors/dataset_scrubber.hpp"

#include "actors/scrub.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr auto idle_pause = 1s;
constexpr auto pause_after_failure = 30s;
constexpr std::uint64_t asked_step = 16U << 20U; // bytes between two messages
constexpr std::uint64_t slow_step = 1U << 20U;

/// Those that were not looked at for long enough, some of them, the longest first.
std::deque<std::string> due(const services& with) {
  constexpr std::size_t most = 1000; // choosing one of very many costs as much as choosing these
  const auto every = with.settings.scrub_every;
  if (every <= 0s)
    return {};
  using known = std::shared_ptr<const dataset>;
  const auto seen = [](const known& d) { return d->checked_at.value_or(d->created_at); };
  auto all = with.published.datasets.all();
  std::erase_if(
      all, [&, at = now()](const known& d) { return !d->damage.empty() || at - seen(d) <= every; });
  const auto some = static_cast<std::ptrdiff_t>(std::min(all.size(), most));
  std::ranges::partial_sort(all, all.begin() + some, {}, seen);
  std::deque<std::string> names;
  std::for_each(all.begin(), all.begin() + some,
                [&](const known& d) { names.push_back(d->sha256); });
  return names;
}

} // namespace

struct scrubber_state::work {
  work(const services& all, dataset_actor to) : with(all), datasets(std::move(to)) {}

  void begin() {
    slow = asked.empty();
    if (slow && waiting.empty())
      waiting = due(with);
    auto& names = slow ? waiting : asked;
    if (names.empty())
      return;
    const auto next = with.published.datasets.find(names.front());
    names.pop_front();
    if (!next)
      return;
    about = {next->sha256, next->created_at, now(), ""};
    run.emplace(with.settings.root, *next);
  }

  /// How long to wait before the next step.
  std::chrono::milliseconds step(scrubber_actor::pointer self) {
    if (!run)
      begin();
    if (!run)
      return asked.empty() && waiting.empty() ? std::chrono::milliseconds{idle_pause} : 0ms;
    const bool hurry = !slow || !asked.empty();
    if (!run->step(hurry ? asked_step : slow_step)) {
      about.damage = run->damage();
      self->send(datasets, atom::check_v, about);
      run.reset();
    }
    return hurry
               ? 0ms
               : std::chrono::milliseconds{1000 * slow_step / with.settings.scrub_bytes_per_second};
  }

  const services& with;
  dataset_actor datasets;
  std::deque<std::string> asked, waiting; // SHA-256s
  std::optional<scrub> run;
  dataset_check about; // what runs
  bool slow = false;
};

scrubber_state::scrubber_state() = default;
scrubber_state::~scrubber_state() = default;

scrubber_actor::behavior_type
dataset_scrubber(scrubber_actor::stateful_pointer<scrubber_state> self, const services& with,
                 const dataset_actor& datasets) {
  self->state.it = std::make_unique<scrubber_state::work>(with, datasets);
  auto* work = self->state.it.get();
  self->send(self, atom::tick_v);
  return {
      [=](atom::check, const std::string& sha256) {
        if (std::ranges::find(work->asked, sha256) == work->asked.end())
          work->asked.push_back(sha256);
      },
      [=](atom::tick) {
        std::chrono::milliseconds pause = pause_after_failure;
        try {
          pause = work->step(self);
        } catch (const std::exception& e) { // it says nothing about the files
          log("scrub", "failed", {{"sha256", work->about.sha256}, {"why", e.what()}});
          work->run.reset();
        }
        self->delayed_send(self, pause, atom::tick_v);
      },
  };
}

} // namespace jobrunner
