#include "store/outputs.hpp"

#include "core/error.hpp"

#include <limits>
#include <ranges>

namespace jobrunner::store {

namespace {

#define COLUMNS "n, experiment_id, output_id, path, job_id, bytes, kind, created_at"
// substr compares bytes as they are; LIKE would take % and _ for wildcards and fold case.
#define PAGE " AND n < ? AND substr(path, 1, length(?)) = ? ORDER BY n DESC LIMIT ?"

output read_output(const sqlite::row& r) {
  return {r.text(1),
          r.text(2),
          r.text(3),
          r.integer(4),
          r.integer(5),
          r.text(6),
          timestamp{std::chrono::milliseconds{r.integer(7)}}};
}

} // namespace

outputs::outputs(sqlite::database& db)
    : db_(db),
      deleted_(db, "SELECT 1 FROM deleted WHERE job_id = ?"),
      clear_(db, "DELETE FROM outputs WHERE job_id = ?"),
      insert_(db, "INSERT INTO outputs(job_id, experiment_id, output_id, path, bytes, kind, "
                  "created_at) VALUES(?, ?, ?, ?, ?, ?, ?)"),
      by_job_(db, "SELECT " COLUMNS " FROM outputs WHERE job_id = ?"
                  " AND (? = '' OR experiment_id = ?)" PAGE),
      by_experiment_(db, "SELECT " COLUMNS " FROM outputs WHERE experiment_id = ?" PAGE),
      all_(db, "SELECT " COLUMNS " FROM outputs WHERE 1" PAGE),
      find_(db, "SELECT " COLUMNS " FROM outputs WHERE experiment_id = ? AND output_id = ? "
                "ORDER BY n DESC LIMIT 1") {}

void outputs::replace(std::int64_t job_id, const std::vector<output>& found) {
  sqlite::transaction t{db_};
  if (auto rows = deleted_(job_id); rows.first())
    throw failure(errc::not_found, "job " + std::to_string(job_id) + " is deleted");
  clear_(job_id);
  for (const auto& o : std::views::reverse(found)) // the last one in is the first one listed
    insert_(job_id, o.experiment_id, o.output_id, o.path, o.bytes, o.kind,
            std::int64_t{o.created_at.time_since_epoch().count()});
  t.commit();
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
