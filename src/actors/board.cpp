#include "actors/board.hpp"

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

std::shared_ptr<const job> job_board::find(std::int64_t id) const {
  const std::shared_lock lock{guard_};
  const auto it = jobs_.find(id);
  return it == jobs_.end() ? nullptr : it->second;
}

void dataset_board::publish(const dataset& d) {
  auto copy = std::make_shared<const dataset>(d);
  const std::unique_lock lock{guard_};
  datasets_[d.sha256] = std::move(copy);
}

std::shared_ptr<const dataset> dataset_board::find(std::string_view sha256) const {
  const std::shared_lock lock{guard_};
  const auto it = datasets_.find(std::string{sha256});
  return it == datasets_.end() ? nullptr : it->second;
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
