#include "actors/output_indexer.hpp"

#include "actors/errors.hpp"
#include "actors/manifest.hpp"
#include "core/beneath.hpp"
#include "core/file_walk.hpp"
#include "core/growing_file.hpp"
#include "core/log.hpp"
#include "core/unique_fd.hpp"
#include "slurm/job_results.hpp"
#include "store/outputs.hpp"
#include "store/schema.hpp"

#include <fcntl.h>

#include <memory>
#include <sys/stat.h>

namespace jobrunner {

namespace {

constexpr off_t largest_manifest = 16 << 20; // of a hundred thousand outputs

struct output_table {
  explicit output_table(const services& with) : db(store::open(with.settings.root)), rows(db) {}
  sqlite::database db;
  store::outputs rows;
};

/// The text of manifest.json; `problem` if it is there and cannot be used.
std::optional<std::string> read_manifest(const std::string& result_dir, std::string& problem) {
  unique_fd file;
  try {
    file = open_beneath(result_dir, "manifest.json");
  } catch (const failure& f) {
    if (f.code() == errc::internal) // no descriptors: it may be there
      throw;
    return std::nullopt; // none, or a link or device, which the walk has seen
  }
  struct stat about {};
  if (fstat(file.get(), &about) != 0 || about.st_size > largest_manifest) {
    problem = "manifest.json is not used: it is larger than " + std::to_string(largest_manifest) +
              " bytes";
    return std::nullopt;
  }
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  text.resize(read_at(file.get(), text, 0));
  return text;
}

/// The manifest's first: they say why all names are what they are.
problem_list in_order(const problem_list& manifest, const walk_result& walked) {
  problem_list all;
  for (const auto& p : manifest.first)
    all.add(p);
  if (!walked.cut.empty())
    all.add(walked.cut);
  for (const auto& p : walked.problems.first)
    all.add(p);
  all.total = manifest.total + walked.problems.total + (walked.cut.empty() ? 0 : 1);
  return all;
}

index_result index(output_table& t, const job& j) {
  const auto walked = look_through(j.result_dir, most_outputs, [&](std::string_view path) {
    return slurm::is_set_aside(path, j.attempt);
  });
  const auto experiment = default_experiment(j);
  std::string problem;
  const auto manifest = read_manifest(j.result_dir, problem);
  auto named = manifest ? by_manifest(*manifest, walked.files, experiment)
                        : by_name(walked.files, experiment);
  if (!problem.empty())
    named.problems.add(problem);
  const auto at = now();
  for (auto& o : named.outputs) {
    o.job_id = j.id;
    o.created_at = at;
  }
  const auto problems = in_order(named.problems, walked);
  t.rows.replace(j.id, named.outputs, problems);
  log("indexer", "indexed",
      {{"job", std::to_string(j.id)},
       {"outputs", std::to_string(named.outputs.size())},
       {"problems", std::to_string(problems.total)},
       {"first", problems.first.empty() ? "" : problems.first.front()}});
  return {named.experiment_id, static_cast<std::int64_t>(named.outputs.size())};
}

/// Of the outputs of a page the hashes only while the files are what was hashed. Links on the way
/// do not matter: no other file has that inode with those times.
class hash_check {
public:
  explicit hash_check(output_table& t) : table_(t) {}

  void operator()(output& o) {
    if (o.sha256.empty())
      return;
    if (o.job_id != job_id_) { // relative paths are quicker, and a page is mostly of one job
      folder_.reset(
          ::open(table_.rows.result_dir(o.job_id).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
      job_id_ = o.job_id;
    }
    struct stat about {};
    if (fstatat(folder_.get(), o.path.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 ||
        to_text(stamp_of(about)) != o.stamp)
      o.sha256.clear();
  }

private:
  output_table& table_;
  std::int64_t job_id_ = 0; // that folder_ is of
  unique_fd folder_;
};

output_list list(output_table& t, const output_query& q) {
  auto page = t.rows.list({q.job_id, q.experiment_id, q.prefix}, q.cursor, q.limit);
  hash_check check{t};
  for (auto& o : page.items)
    check(o);
  return {std::move(page.items), page.next, q.job_id ? t.rows.problems(*q.job_id) : problem_list{}};
}

} // namespace

indexer_actor::behavior_type output_indexer(indexer_actor::pointer self, const services& with,
                                            const hasher_actor& hasher) {
  const auto t = std::make_shared<output_table>(with);
  return {[=](atom::index, const job& j) -> caf::result<index_result> {
    return answer([&] {
      auto made = index(*t, j);
      self->send(hasher, atom::hint_v);
      return made;
    });
  }};
}

output_actor::behavior_type output_reader(output_actor::pointer, const services& with) {
  const auto t = std::make_shared<output_table>(with);
  return {
      [t](atom::list, const output_query& q) -> caf::result<output_list> {
        return answer([&] { return list(*t, q); });
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
