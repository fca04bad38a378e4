#include "store/job_pages.hpp"

#include "store/job_row.hpp"
#include "store/times.hpp"

#include <boost/json/parse.hpp>

#include <limits>

namespace jobrunner::store {

namespace {

constexpr std::int64_t most_looked_at = 50'000; // rows, for one page
constexpr std::size_t most_bytes = 4U << 20U;   // of parameters and the like, in one page
constexpr auto no_time = std::numeric_limits<std::int64_t>::max();

#define SELECT "SELECT " JOB_COLUMNS " FROM jobs "
// From a place in an index of (something, created_at, n) on, backwards.
#define PAGE " AND created_at <= ? AND created_at >= ? ORDER BY created_at DESC, n DESC"

bool has_label(const std::string& labels_json, const job_filter& f) {
  const auto labels = boost::json::parse(labels_json);
  const auto* value = labels.as_object().if_contains(f.label_key);
  return value && value->as_string() == f.label_value;
}

bool fits(const std::string& wanted, const sqlite::row& r, int column) {
  return wanted.empty() || r.text(column) == wanted;
}

bool fits(const job_filter& f, const sqlite::row& r) {
  namespace c = job_column;
  return !r.null(c::job_id) && fits(f.status, r, c::state) &&
         fits(f.command_key, r, c::command_key) && fits(f.dataset_sha, r, c::dataset_sha) &&
         fits(f.experiment_id, r, c::experiment) && fits(f.name, r, c::name) &&
         (f.label_key.empty() || has_label(r.text(c::labels_json), f));
}

std::size_t size_of(const job& j) {
  return j.params_json.size() + j.extras.labels_json.size() + j.extras.env_json.size() +
         j.log_tail.size() + 1000;
}

/// Most jobs of a long list have ended well; few are in any other state.
bool is_common(const std::string& state) {
  return state == "COMPLETED" || state == "FAILED" || state == "CANCELLED" || state == "UNKNOWN";
}

} // namespace

job_pages::job_pages(sqlite::database& db)
    : all_(db, SELECT "WHERE 1" PAGE),
      by_state_(db, SELECT "WHERE state=?" PAGE),
      by_command_(db, SELECT "WHERE command_key=?" PAGE),
      by_dataset_(db, SELECT "WHERE dataset_sha=?" PAGE),
      by_experiment_(db, SELECT "WHERE experiment=? AND experiment<>''" PAGE),
      by_name_(db, SELECT "WHERE name=? AND name<>''" PAGE),
      by_array_(db, SELECT "INDEXED BY jobs_by_array WHERE array_uuid=? AND array_uuid<>''" PAGE),
      by_label_(db, "SELECT " JOB_COLUMNS " FROM labels CROSS JOIN jobs ON n = job "
                    "WHERE key=? AND value=? AND at <= ? AND at >= ? ORDER BY at DESC, job DESC"),
      tasks_(db, "SELECT " JOB_COLUMNS ", max(n) FROM jobs WHERE array_uuid=? AND array_uuid<>'' "
                 "AND array_index>? AND job_id NOT NULL GROUP BY array_index "
                 "ORDER BY array_index LIMIT ?"),
      states_(db, "SELECT state, done, count(*) FROM (SELECT state, done, max(n) FROM jobs WHERE "
                  "array_uuid=? AND array_uuid<>'' AND job_id NOT NULL GROUP BY array_index) "
                  "GROUP BY state, done") {}

job_page job_pages::list(const job_filter& f, std::optional<job_cursor> from, std::int64_t limit) {
  auto latest = f.until ? milliseconds(*f.until) - 1 : no_time;
  if (from)
    latest = std::min(latest, from->created_at);
  const auto earliest = f.since ? milliseconds(*f.since) : 0;
  job_page page;
  job_cursor last;
  std::int64_t looked_at = 0;
  std::size_t bytes = 0;
  const auto take = [&](sqlite::statement::rows rows) {
    for (auto r : rows) {
      const job_cursor here{r.integer(job_column::created_at), r.integer(job_column::n)};
      if (from && here.created_at == from->created_at && here.n >= from->n)
        continue; // of the page before
      if (std::ssize(page.items) == limit || looked_at == most_looked_at || bytes > most_bytes) {
        page.next = last;
        return;
      }
      ++looked_at;
      last = here;
      if (!fits(f, r))
        continue;
      page.items.push_back(read_job(r));
      bytes += size_of(page.items.back());
    }
  };
  const bool rare = !f.status.empty() && !is_common(f.status);
  // By the filter that leaves the fewest; the others are looked at row by row.
  if (!f.array.empty())
    take(by_array_(f.array, latest, earliest));
  else if (!f.label_key.empty())
    take(by_label_(f.label_key, f.label_value, latest, earliest));
  else if (!f.experiment_id.empty())
    take(by_experiment_(f.experiment_id, latest, earliest));
  else if (!f.name.empty())
    take(by_name_(f.name, latest, earliest));
  else if (rare)
    take(by_state_(f.status, latest, earliest)); // NOLINT(bugprone-branch-clone): by its rank
  else if (!f.dataset_sha.empty())
    take(by_dataset_(f.dataset_sha, latest, earliest));
  else if (!f.command_key.empty())
    take(by_command_(f.command_key, latest, earliest));
  else if (!f.status.empty())
    take(by_state_(f.status, latest, earliest));
  else
    take(all_(latest, earliest));
  return page;
}

task_page job_pages::array(std::string_view uuid, std::int64_t after, std::int64_t limit) {
  task_page page;
  for (auto r : states_(uuid)) {
    page.states.emplace_back(r.text(0), r.integer(2));
    page.done = page.done && r.integer(1) != 0;
  }
  for (auto r : tasks_(uuid, after, limit))
    page.tasks.push_back(read_job(r));
  return page;
}

} // namespace jobrunner::store
