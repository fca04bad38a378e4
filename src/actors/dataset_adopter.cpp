// POST /datasets/from_job: what a job left becomes a dataset.
#include "actors/dataset_store.hpp"
#include "actors/errors.hpp"
#include "archive/adopt.hpp"
#include "core/file_walk.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>

namespace jobrunner {

namespace {

constexpr std::size_t most_files = 1'000'000;

struct choice {
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
};

choice choose(const job& j, const std::string& prefix) {
  choice all;
  for (const auto& file : walk(j.result_dir, most_files))
    if (file.path.starts_with(prefix)) {
      all.paths.push_back(file.path);
      all.bytes += static_cast<std::uint64_t>(file.bytes);
    }
  if (all.paths.empty())
    throw failure(errc::not_found, "job " + std::to_string(j.id) + " has left no files" +
                                       (prefix.empty() ? "" : " whose path begins so"));
  std::ranges::sort(all.paths);
  return all;
}

} // namespace

adopter_actor::behavior_type dataset_adopter(adopter_actor::pointer self, const services& with,
                                             const dataset_actor& datasets) {
  return {
      [=, &with](atom::import, const job& j, const std::string& prefix) -> caf::result<dataset> {
        auto promise = self->make_response_promise<dataset>();
        const auto over = [=, &with](const std::string& staging) {
          archive::discard(archive::extraction_of(with.extractors, with.settings), staging);
          self->send(datasets, atom::abort_v, staging);
        };
        try {
          const auto chosen = choose(j, prefix);
          const auto receive = [=](const std::string& staging) mutable {
            try {
              const auto made = archive::adopt(j.result_dir, chosen.paths, staging);
              self->request(datasets, caf::infinite, atom::commit_v,
                            arrival{staging, made.sha256, "", true, made.bytes})
                  .then(
                      [=](const dataset& d) mutable {
                        promise.deliver(d);
                        over(staging);
                      },
                      [=](const caf::error& e) mutable {
                        promise.deliver(e);
                        over(staging);
                      });
            } catch (...) {
              promise.deliver(current_error());
              over(staging);
            }
          };
          self->request(datasets, caf::infinite, atom::begin_v, chosen.bytes)
              .then(receive, [promise](const caf::error& e) mutable { promise.deliver(e); });
        } catch (...) {
          promise.deliver(current_error());
        }
        return promise;
      }};
}

} // namespace jobrunner
