#include "actors/board.hpp"

#include <algorithm>

namespace jobrunner {

void job_board::publish(const job& j) {
  auto copy = std::make_shared<const job>(j);
  const std::unique_lock lock{guard_};
  auto& slot = jobs_[j.id];
  if (j.done && (!slot || !slot->done)) {
    final_.push_back(j.id);
    if (final_.size() > kept_final) {
      jobs_.erase(final_.front());
      final_.pop_front();
    }
  }
  jobs_[j.id] = std::move(copy);
}

void job_board::remove(std::int64_t id) {
  const std::unique_lock lock{guard_};
  jobs_.erase(id);
}

std::shared_ptr<const job> job_board::find(std::int64_t id) const {
  const std::shared_lock lock{guard_};
  const auto it = jobs_.find(id);
  return it == jobs_.end() ? nullptr : it->second;
}

void dataset_board::publish(const dataset& d) {
  auto copy = std::make_shared<const dataset>(d);
  const std::unique_lock lock{guard_};
  auto& slot = datasets_[d.sha256];
  if (slot.now)
    forget(*slot.now);
  slot.now = std::move(copy);
  slot.used_ms = std::max<std::int64_t>(slot.used_ms, d.used_at.time_since_epoch().count());
  by_age_.emplace(d.created_at, d.sha256);
  for (const auto& tag : d.tags)
    by_tag_[tag].emplace(d.created_at, d.sha256);
}

void dataset_board::withdraw(std::string_view sha256) {
  const std::unique_lock lock{guard_};
  const auto it = datasets_.find(std::string{sha256});
  if (it == datasets_.end())
    return;
  forget(*it->second.now);
  datasets_.erase(it);
}

void dataset_board::forget(const dataset& d) {
  by_age_.erase({d.created_at, d.sha256});
  for (const auto& tag : d.tags) {
    const auto it = by_tag_.find(tag);
    it->second.erase({d.created_at, d.sha256});
    if (it->second.empty())
      by_tag_.erase(it);
  }
}

std::shared_ptr<const dataset> dataset_board::find(std::string_view sha256) const {
  const std::shared_lock lock{guard_};
  const auto it = datasets_.find(std::string{sha256});
  return it == datasets_.end() ? nullptr : it->second.now;
}

std::shared_ptr<const dataset> dataset_board::use(std::string_view sha256) const {
  const std::shared_lock lock{guard_};
  const auto it = datasets_.find(std::string{sha256});
  if (it == datasets_.end())
    return nullptr;
  it->second.used_ms = now().time_since_epoch().count();
  return it->second.now;
}

timestamp dataset_board::used_at(std::string_view sha256) const {
  const std::shared_lock lock{guard_};
  const auto it = datasets_.find(std::string{sha256});
  return it == datasets_.end() ? timestamp{}
                               : timestamp{std::chrono::milliseconds{it->second.used_ms}};
}

std::vector<std::shared_ptr<const dataset>>
dataset_board::list(std::string_view tag, const std::optional<dataset_cursor>& behind,
                    std::size_t limit) const {
  std::vector<std::shared_ptr<const dataset>> found;
  const std::shared_lock lock{guard_};
  const auto tagged = by_tag_.find(tag);
  if (!tag.empty() && tagged == by_tag_.end())
    return found;
  const auto& order = tag.empty() ? by_age_ : tagged->second;
  auto at = behind ? order.lower_bound({behind->created_at, behind->sha256}) : order.end();
  while (at != order.begin() && found.size() < limit)
    found.push_back(datasets_.at((--at)->second).now);
  return found;
}

std::vector<std::shared_ptr<const dataset>> dataset_board::all() const {
  std::vector<std::shared_ptr<const dataset>> found;
  const std::shared_lock lock{guard_};
  found.reserve(datasets_.size());
  for (const auto& [sha256, slot] : datasets_)
    found.push_back(slot.now);
  return found;
}

std::optional<timestamp> stale_since(const slurm_view& v,
                                     std::chrono::steady_clock::time_point now) {
  // A look at a Slurm that hangs takes that long to fail; a pause between looks is shorter.
  constexpr std::chrono::seconds late{10};
  const bool fresh = v.answers && now - v.answered <= late;
  return fresh ? std::nullopt : std::optional{v.answered_at};
}

void slurm_board::publish(slurm_view v) {
  const std::lock_guard lock{guard_};
  view_ = std::move(v);
}

slurm_view slurm_board::view() const {
  const std::lock_guard lock{guard_};
  return view_;
}

} // namespace jobrunner
