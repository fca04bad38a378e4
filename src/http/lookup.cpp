#include "http/lookup.hpp"

#include "actors/ask.hpp"

namespace jobrunner::http {

using namespace std::chrono_literals;

asio::awaitable<std::shared_ptr<const job>> find_job(const context& with, std::int64_t id) {
  if (auto known = with.published.jobs.find(id))
    co_return known;
  auto found = co_await ask(with.to.jobs, 10s, atom::get_v, id);
  co_return std::make_shared<const job>(std::move(found));
}

asio::awaitable<std::shared_ptr<const job>> find_indexed_job(const context& with, std::int64_t id) {
  auto found = co_await find_job(with, id);
  if (found->done && !found->indexed)
    co_await ask(with.to.indexer, 120s, atom::index_v, *found);
  co_return found;
}

} // namespace jobrunner::http
