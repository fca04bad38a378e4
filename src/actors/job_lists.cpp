#include "actors/job_lists.hpp"

#include "actors/errors.hpp"
#include "core/text.hpp"
#include "store/job_pages.hpp"
#include "store/schema.hpp"

#include <charconv>
#include <memory>

namespace jobrunner {

namespace {

struct job_pages_table {
  explicit job_pages_table(const services& with) : db(store::open(with.settings.root)), pages(db) {}
  sqlite::database db;
  store::job_pages pages;
};

/// "<created_at>-<n>", as text_of makes it.
std::optional<store::job_cursor> read_cursor(const std::string& text) {
  if (text.empty())
    return std::nullopt;
  store::job_cursor c;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, c.created_at);
  if (first.ec == std::errc{} && first.ptr != end && *first.ptr == '-') {
    const auto second = std::from_chars(first.ptr + 1, end, c.n);
    if (second.ec == std::errc{} && second.ptr == end && c.created_at >= 0 && c.n > 0)
      return c;
  }
  throw failure(errc::invalid,
                "cursor is " + shown(text) + "; it must be the next_cursor of the page before");
}

std::string text_of(const std::optional<store::job_cursor>& c) {
  return c ? std::to_string(c->created_at) + "-" + std::to_string(c->n) : "";
}

job_list list(job_pages_table& t, const job_query& q) {
  auto page = t.pages.list({q.status, q.command_key, q.dataset_sha, q.experiment_id, q.name,
                            q.array, q.label_key, q.label_value, q.since, q.until},
                           read_cursor(q.cursor), q.limit);
  return {std::move(page.items), text_of(page.next)};
}

array_view array(job_pages_table& t, const array_query& q) {
  auto page = t.pages.array(q.array, q.cursor, q.limit + 1);
  if (page.states.empty())
    throw failure(errc::not_found, "no array has the id " + shown(q.array));
  array_view view{std::move(page.states), page.done, std::move(page.tasks), {}};
  if (std::ssize(view.tasks) > q.limit) { // one more than asked for: there is a next page
    view.tasks.pop_back();
    view.next_cursor = view.tasks.back().array_index;
  }
  return view;
}

} // namespace

job_list_actor::behavior_type job_lists(job_list_actor::pointer, const services& with) {
  const auto t = std::make_shared<job_pages_table>(with);
  return {
      [t](atom::list, const job_query& q) -> caf::result<job_list> {
        return answer([&] { return list(*t, q); });
      },
      [t](atom::find, const array_query& q) -> caf::result<array_view> {
        return answer([&] { return array(*t, q); });
      },
  };
}

} // namespace jobrunner
