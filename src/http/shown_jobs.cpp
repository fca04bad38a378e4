#include "http/shown_jobs.hpp"

#include <mutex>

namespace jobrunner::http {

std::string shown_jobs::text_of(const std::shared_ptr<const job>& j,
                                const std::function<std::string(const job&)>& render) {
  {
    const std::shared_lock lock{guard_};
    if (const auto it = kept_.find(j->id); it != kept_.end() && it->second.of == j)
      return it->second.text;
  }
  auto text = render(*j);
  const std::unique_lock lock{guard_};
  if (kept_.size() >= most)
    kept_.clear(); // whoever is asked for often is soon back
  kept_.insert_or_assign(j->id, entry{j, text});
  return text;
}

} // namespace jobrunner::http
