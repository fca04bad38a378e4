// Datasets once they are there: listed, shown with their files, described by people, removed.
#include "actors/ask.hpp"
#include "core/file_list.hpp"
#include "core/hex.hpp"
#include "core/text.hpp"
#include "http/blocking.hpp"
#include "http/handlers.hpp"
#include "http/render.hpp"
#include "http/text/ascii.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_tag = 64, most_tags = 32, longest_note = 4096;

failure unknown(const std::string& sha256) {
  return {errc::not_found,
          "no dataset has the sha256 " + shown(sha256) + "; GET /datasets lists what is there"};
}

/// As list_datasets writes it: the milliseconds and the sha256 of the last one shown.
std::optional<dataset_cursor> cursor_of(const fields& query) {
  if (!query.has("cursor"))
    return std::nullopt;
  const auto text = query.text("cursor");
  const auto dot = std::min(text.find('.'), text.size());
  std::int64_t ms = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + dot, ms);
  const auto sha256 = text.substr(std::min(dot + 1, text.size()));
  if (wrong != std::errc{} || end != text.data() + dot || !is_sha256(sha256))
    throw failure(errc::invalid,
                  "cursor is " + shown(text) + ", but must be the next_cursor of the page before");
  return dataset_cursor{timestamp{std::chrono::milliseconds{ms}}, sha256};
}

boost::json::object describe(const context& with, const dataset& d) {
  auto shown = to_json(d);
  shown["tags"] = boost::json::array(d.tags.begin(), d.tags.end());
  shown["note"] = d.note;
  shown["pinned"] = d.pinned;
  shown["used_at"] = to_rfc3339(std::max(with.published.datasets.used_at(d.sha256), d.used_at));
  shown["checked_at"] =
      d.checked_at ? boost::json::value(to_rfc3339(*d.checked_at)) : boost::json::value(nullptr);
  shown["damage"] = d.damage.empty() ? boost::json::value(nullptr) : boost::json::value(d.damage);
  return shown;
}

struct file_page {
  bool known = true; // an older program kept no list
  std::vector<listed_file> files;
  std::uint64_t next = 0; // 0: the end
};

file_page list_files(const std::filesystem::path& root, const dataset& d, std::uint64_t from,
                     std::size_t limit) {
  file_page page;
  if (!d.rel_path.ends_with('/')) {
    page.files.push_back({std::filesystem::path{d.rel_path}.filename().string(),
                          static_cast<std::uint64_t>(d.bytes), d.sha256});
    return page;
  }
  try {
    file_list all{root / "datasets/.files" / d.sha256};
    all.go_on(from);
    while (page.files.size() < limit) {
      auto file = all.next();
      if (!file)
        return page;
      page.files.push_back(std::move(*file));
    }
    page.next = all.at();
    if (!all.next())
      page.next = 0;
  } catch (const failure& f) {
    if (f.code() == errc::invalid)
      throw failure(errc::invalid, "cursor is " + std::to_string(from) +
                                       ", but must be the next_cursor of the page before");
    if (f.code() != errc::not_found)
      throw;
    page.known = false;
  }
  return page;
}

boost::json::value render(const file_page& page) {
  if (!page.known)
    return nullptr;
  boost::json::array files;
  files.reserve(page.files.size());
  for (const auto& f : page.files)
    files.push_back({{"path", f.path}, {"bytes", f.bytes}, {"sha256", f.sha256}});
  return files;
}

std::string tag_of(std::string_view text) {
  std::string tag{trimmed(text)};
  if (tag.empty() || tag.size() > longest_tag || std::ranges::any_of(tag, is_control))
    throw failure(errc::invalid, "the tag " + shown(tag) + " must have 1 to " +
                                     std::to_string(longest_tag) +
                                     " bytes and no control characters");
  return tag;
}

std::vector<std::string> tags_of(std::string_view text) {
  std::vector<std::string> tags;
  while (!trimmed(text).empty()) {
    const auto end = std::min(text.find(','), text.size());
    tags.push_back(tag_of(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  if (tags.size() > most_tags)
    throw failure(errc::invalid, "tags names " + std::to_string(tags.size()) +
                                     ", but a dataset has at most " + std::to_string(most_tags));
  return tags;
}

dataset_edit edit_of(const fields& form) {
  form.allow({"tags", "note", "pinned"});
  dataset_edit e;
  if (form.has("tags"))
    e.tags = tags_of(form.text("tags"));
  if (form.has("note"))
    e.note = form.text("note");
  if (form.has("pinned"))
    e.pinned = form.boolean_or("pinned", false);
  if (e.note && e.note->size() > longest_note)
    throw failure(errc::invalid, "note has " + std::to_string(e.note->size()) +
                                     " bytes, but may have at most " +
                                     std::to_string(longest_note));
  if (!e.tags && !e.note && !e.pinned)
    throw failure(errc::invalid, "nothing to change: give tags (separated by commas), note or "
                                 "pinned (true or false)");
  return e;
}

} // namespace

// GET /datasets?tag=
asio::awaitable<response> list_datasets(exchange& x) {
  x.query.allow({"tag", "limit", "cursor"});
  const auto limit = static_cast<std::size_t>(x.query.integer_or("limit", 100, 1, 1000));
  const auto page =
      x.with.published.datasets.list(x.query.text_or("tag", ""), cursor_of(x.query), limit + 1);
  boost::json::array items;
  for (const auto& d : std::span{page}.first(std::min(page.size(), limit)))
    items.emplace_back(describe(x.with, *d));
  boost::json::value next = nullptr;
  if (page.size() > limit) {
    const auto& last = *page[limit - 1];
    next = std::to_string(last.created_at.time_since_epoch().count()) + "." + last.sha256;
  }
  co_return json(beast::status::ok, {{"datasets", std::move(items)}, {"next_cursor", next}});
}

// GET /datasets/{sha256}: it and a page of its files. HEAD asks whether it is there.
asio::awaitable<response> get_dataset(exchange& x) {
  x.query.allow({"limit", "cursor"});
  const auto limit = static_cast<std::size_t>(x.query.integer_or("limit", 100, 1, 1000));
  const auto from = static_cast<std::uint64_t>(
      x.query.integer_or("cursor", 0, 0, std::numeric_limits<std::int64_t>::max()));
  const auto found = x.with.published.datasets.use(lower(x.args.at(0)));
  if (!found)
    throw unknown(x.args.at(0));
  const auto read = [&] { return list_files(x.with.settings.root, *found, from, limit); };
  const auto page = co_await on(x.with.files, read);
  auto body = describe(x.with, *found);
  body["files"] = render(page);
  body["next_cursor"] = page.next > 0 ? boost::json::value(std::to_string(page.next)) : nullptr;
  co_return json(beast::status::ok, body);
}

// PATCH /datasets/{sha256}
asio::awaitable<response> edit_dataset(exchange& x) {
  const auto changed =
      co_await ask(x.with.to.datasets, 30s, atom::edit_v, lower(x.args.at(0)), edit_of(x.form));
  co_return json(beast::status::ok, describe(x.with, changed));
}

// POST /datasets/{sha256}/scrub: its files are hashed again soon; checked_at and damage tell.
asio::awaitable<response> scrub_dataset(exchange& x) {
  x.form.allow({});
  const auto sha256 = lower(x.args.at(0));
  const auto found = x.with.published.datasets.find(sha256);
  if (!found)
    throw unknown(x.args.at(0));
  caf::anon_send(x.with.to.scrubber, atom::check_v, sha256);
  auto res = json(beast::status::accepted, describe(x.with, *found));
  res.message.set(beast::field::location, "/datasets/" + sha256);
  co_return res;
}

// DELETE /datasets/{sha256}
asio::awaitable<response> remove_dataset(exchange& x) {
  co_await ask(x.with.to.datasets, 30s, atom::remove_v, lower(x.args.at(0)));
  response res;
  res.message.result(beast::status::no_content);
  co_return res;
}

} // namespace jobrunner::http
