// POST /datasets/from_job: what a job left becomes a dataset.
#include "actors/dataset_store.hpp"
#include "actors/job_files.hpp"
#include "actors/make_dataset.hpp"
#include "archive/adopt.hpp"
#include "core/error.hpp"

namespace jobrunner {

namespace {

struct choice {
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
};

choice choose(const job& j, const std::string& prefix, std::size_t most) {
  choice all;
  for (const auto& file : job_files(j, most))
    if (file.path.starts_with(prefix)) {
      all.paths.push_back(file.path);
      all.bytes += static_cast<std::uint64_t>(file.bytes);
    }
  if (all.paths.empty())
    throw failure(errc::not_found, "job " + std::to_string(j.id) + " has left no files" +
                                       (prefix.empty() ? "" : " whose path begins so"));
  return all;
}

} // namespace

adopter_actor::behavior_type dataset_adopter(adopter_actor::pointer self, const services& with,
                                             const dataset_actor& datasets) {
  return {
      [=, &with](atom::import, const job& j, const std::string& prefix) -> caf::result<dataset> {
        auto promise = self->make_response_promise<dataset>();
        try {
          const auto chosen = choose(j, prefix, with.settings.max_extracted_files);
          const auto fill = [=](const std::string& staging) {
            const auto made = archive::adopt(j.result_dir, chosen.paths, staging);
            return arrival{staging, made.sha256, "", true, made.bytes};
          };
          make_dataset(self, with, datasets, chosen.bytes, promise, fill, [] {});
        } catch (...) {
          promise.deliver(current_error());
        }
        return promise;
      }};
}

} // namespace jobrunner
