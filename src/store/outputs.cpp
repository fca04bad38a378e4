#include "store/outputs.hpp"

#include "core/error.hpp"
#include "core/failpoint.hpp"

#include <algorithm>
#include <limits>

namespace jobrunner::store {

namespace {

#define OUTPUT_COLUMNS                                                                             \
  "n, experiment_id, output_id, path, job_id, bytes, kind, created_at, stamp, sha256"
// substr compares bytes as they are; LIKE would take % and _ for wildcards and fold case.
#define OUTPUT_PAGE " AND n < ? AND substr(path, 1, length(?)) = ? ORDER BY n DESC LIMIT ?"

output read_output(const sqlite::row& r) {
  return {r.text(1),
          r.text(2),
          r.text(3),
          r.integer(4),
          r.integer(5),
          r.text(6),
          timestamp{std::chrono::milliseconds{r.integer(7)}},
          r.text(8),
          r.text(9)};
}

// A row that is there already keeps its n: a page of a list goes on where it was, and a job that is
// indexed again takes no short address from a newer one.
constexpr auto put_one = R"(
INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, kind, created_at, stamp, round)
VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT(job_id, experiment_id, output_id) DO UPDATE SET
  created_at = iif(path = excluded.path AND stamp = excluded.stamp, created_at, excluded.created_at),
  sha256 = iif(path = excluded.path AND stamp = excluded.stamp AND sha256 <> '', sha256, NULL),
  path = excluded.path, bytes = excluded.bytes, kind = excluded.kind, stamp = excluded.stamp,
  round = excluded.round
WHERE round <> excluded.round)";

std::string lines_of(const problem_list& problems) {
  std::string all;
  for (const auto& p : problems.first)
    all += p + '\n';
  return all;
}

} // namespace

outputs::outputs(sqlite::database& db)
    : db_(db),
      deleted_(db, "SELECT 1 FROM deleted WHERE job_id = ?"),
      round_(db, "INSERT INTO indexes VALUES(?, 1, ?, ?) ON CONFLICT(job_id) DO UPDATE SET "
                 "round = round + 1, problems = excluded.problems, "
                 "problems_total = excluded.problems_total RETURNING round"),
      put_(db, put_one),
      clear_(db, "DELETE FROM outputs WHERE job_id = ? AND round <> ?"),
      by_job_(db, "SELECT " OUTPUT_COLUMNS " FROM outputs WHERE job_id = ?"
                  " AND (? = '' OR experiment_id = ?)" OUTPUT_PAGE),
      by_experiment_(db,
                     "SELECT " OUTPUT_COLUMNS " FROM outputs WHERE experiment_id = ?" OUTPUT_PAGE),
      all_(db, "SELECT " OUTPUT_COLUMNS " FROM outputs WHERE 1" OUTPUT_PAGE),
      find_(db, "SELECT " OUTPUT_COLUMNS " FROM outputs WHERE experiment_id = ? AND output_id = ? "
                "ORDER BY n DESC LIMIT 1"),
      problems_(db, "SELECT problems, problems_total FROM indexes WHERE job_id = ?"),
      folder_(db, "SELECT result_dir FROM jobs WHERE job_id = ?") {}

void outputs::replace(std::int64_t job_id, const std::vector<output>& found,
                      const problem_list& problems) {
  sqlite::transaction t{db_};
  if (auto rows = deleted_(job_id); rows.first())
    throw failure(errc::not_found, "job " + std::to_string(job_id) + " is deleted");
  std::int64_t round = 0;
  for (auto r : round_(job_id, lines_of(problems), problems.total))
    round = r.integer(0);
  const auto put = [&](const output& o) {
    put_(job_id, o.experiment_id, o.output_id, o.path, o.bytes, o.kind,
         std::int64_t{o.created_at.time_since_epoch().count()}, o.stamp, round);
    if (db_.changes() == 0) // RETURNING would make a table for each row: ten times the time
      throw failure(errc::conflict,
                    "two outputs of job " + std::to_string(job_id) + " have the same ids");
    JR_FAILPOINT("output_row_written");
  };
  std::for_each(found.rbegin(), found.rend(), put); // the last one in is listed first
  clear_(job_id, round);
  JR_FAILPOINT("outputs_complete");
  t.commit();
  JR_FAILPOINT("outputs_committed");
}

problem_list outputs::problems(std::int64_t job_id) {
  problem_list all;
  auto rows = problems_(job_id);
  const auto row = rows.first();
  if (!row)
    return all;
  const auto lines = row->text(0);
  for (std::size_t at = 0; at < lines.size();) {
    const auto end = lines.find('\n', at);
    all.add(lines.substr(at, end - at));
    at = end + 1;
  }
  all.total = row->integer(1);
  return all;
}

std::string outputs::result_dir(std::int64_t job_id) {
  auto rows = folder_(job_id);
  const auto row = rows.first();
  return row ? row->text(0) : "";
}

output_page outputs::list(const output_filter& filter, std::int64_t cursor, std::int64_t limit) {
  const auto before = cursor > 0 ? cursor : std::numeric_limits<std::int64_t>::max();
  output_page page;
  std::int64_t last = 0;
  // One more than asked for tells whether there is a next page.
  const auto take = [&](sqlite::statement::rows rows) {
    for (auto r : rows) {
      if (static_cast<std::int64_t>(page.items.size()) == limit) {
        page.next = last;
        break;
      }
      last = r.integer(0);
      page.items.push_back(read_output(r));
    }
  };
  if (filter.job_id)
    take(by_job_(*filter.job_id, filter.experiment_id, filter.experiment_id, before, filter.prefix,
                 filter.prefix, limit + 1));
  else if (!filter.experiment_id.empty())
    take(by_experiment_(filter.experiment_id, before, filter.prefix, filter.prefix, limit + 1));
  else
    take(all_(before, filter.prefix, filter.prefix, limit + 1));
  return page;
}

std::optional<output> outputs::find(std::string_view experiment_id, std::string_view output_id) {
  auto rows = find_(experiment_id, output_id);
  const auto row = rows.first();
  return row ? std::optional{read_output(*row)} : std::nullopt;
}

} // namespace jobrunner::store
