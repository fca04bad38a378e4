#include "actors/output_indexer.hpp"

#include "actors/errors.hpp"
#include "actors/index_walk.hpp"
#include "actors/manifest.hpp"
#include "core/beneath.hpp"
#include "core/log.hpp"
#include "slurm/job_results.hpp"
#include "store/outputs.hpp"
#include "store/schema.hpp"

#include <memory>
#include <sys/stat.h>

namespace jobrunner {

namespace {

// A transaction of so many takes some 2 s, while no other actor can write.
constexpr std::size_t most_files = 100000;
constexpr off_t largest_manifest = 16 << 20; // of a hundred thousand outputs

struct table {
  explicit table(const services& with) : db(store::open(with.settings.root)), rows(db) {}
  sqlite::database db;
  store::outputs rows;
};

/// The text of manifest.json; `problem` if it is there and cannot be read.
std::optional<std::string> read_manifest(const std::string& result_dir, std::string& problem) {
  unique_fd file;
  try {
    file = open_beneath(result_dir, "manifest.json");
  } catch (const failure&) {
    return std::nullopt; // none, or a link or device
  }
  struct stat about {};
  if (fstat(file.get(), &about) != 0 || about.st_size > largest_manifest) {
    problem = "manifest.json is not used: it is larger than " + std::to_string(largest_manifest) +
              " bytes";
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto n = read(file.get(), text.data() + have, text.size() - have);
    if (n <= 0)
      break;
    have += static_cast<std::size_t>(n);
  }
  text.resize(have);
  return text;
}

index_result index(table& t, const job& j) {
  auto files = walk(j.result_dir, most_files);
  std::erase_if(files, [&](const found_file& f) { return slurm::is_set_aside(f.path, j.attempt); });
  const auto experiment = default_experiment(j);
  std::string problem;
  const auto manifest = read_manifest(j.result_dir, problem);
  auto named = manifest ? by_manifest(*manifest, files, experiment) : by_name(files, experiment);
  if (named.problem.empty())
    named.problem = problem;
  for (auto& o : named.outputs) {
    o.job_id = j.id;
    o.created_at = now();
  }
  t.rows.replace(j.id, named.outputs);
  log("indexer", "indexed",
      {{"job", std::to_string(j.id)},
       {"outputs", std::to_string(named.outputs.size())},
       {"problem", named.problem}});
  return {named.experiment_id, static_cast<std::int64_t>(named.outputs.size())};
}

} // namespace

indexer_actor::behavior_type output_indexer(indexer_actor::pointer, const services& with) {
  const auto t = std::make_shared<table>(with);
  return {[t](atom::index, const job& j) -> caf::result<index_result> {
    return answer([&] { return index(*t, j); });
  }};
}

output_actor::behavior_type output_reader(output_actor::pointer, const services& with) {
  const auto t = std::make_shared<table>(with);
  return {
      [t](atom::list, const output_query& q) -> caf::result<output_list> {
        return answer([&]() -> output_list {
          auto page = t->rows.list({q.job_id, q.experiment_id, q.prefix}, q.cursor, q.limit);
          return {std::move(page.items), page.next};
        });
      },
      [t](atom::find, const std::string& experiment, const std::string& id) -> caf::result<output> {
        return answer([&] {
          auto found = t->rows.find(experiment, id);
          if (!found)
            throw failure(errc::not_found,
                          "no output '" + id + "' of an experiment '" + experiment + "'");
          return std::move(*found);
        });
      },
  };
}

} // namespace jobrunner
