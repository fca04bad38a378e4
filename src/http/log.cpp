// GET /jobs/{id}/log: a file that may still grow, addressed by byte offsets.
#include "core/beneath.hpp"
#include "core/error.hpp"
#include "core/growing_file.hpp"
#include "http/blocking.hpp"
#include "http/event_stream.hpp"
#include "http/handlers.hpp"
#include "http/log_follow.hpp"
#include "http/lookup.hpp"
#include "http/problem.hpp"
#include "http/text/accept.hpp"
#include "http/text/cursor.hpp"
#include "http/text/range.hpp"
#include "http/transfer.hpp"

#include <limits>
#include <sys/stat.h>

namespace jobrunner::http {

namespace {

constexpr std::int64_t most_lines = 100000;
constexpr std::uint64_t most_tail = 64U << 20U; // bytes: lines may be long, or a file one hole
// What stands for the end of a body that is not known yet (RFC 8673, 2).
constexpr std::uint64_t very_large = (1ULL << 53U) - 1;
constexpr auto plain = "text/plain; charset=utf-8";

/// What is asked of the log.
struct wish {
  bool follow = false, events = false;
  std::optional<std::uint64_t> tail, offset; // at most one of them
  std::string range, if_range;               // headers, if there
};

wish wish_of(const exchange& x) {
  x.query.allow({"follow", "tail", "offset"});
  const auto accept = view(x.headers[beast::field::accept]);
  wish w;
  w.events = accepted(accept, "text/event-stream") > accepted(accept, "text/plain");
  w.follow = w.events || x.query.boolean_or("follow", false);
  if (x.query.has("tail"))
    w.tail = static_cast<std::uint64_t>(x.query.integer("tail", 0, most_lines));
  if (x.query.has("offset"))
    w.offset = static_cast<std::uint64_t>(
        x.query.integer("offset", 0, std::numeric_limits<std::int64_t>::max()));
  if (w.tail && w.offset)
    throw failure(errc::invalid, "tail and offset both say where to begin; give one of them");
  if (w.events && x.headers.count("Last-Event-ID") > 0) {
    w.tail.reset();
    w.offset =
        static_cast<std::uint64_t>(cursor("Last-Event-ID", view(x.headers["Last-Event-ID"])));
  }
  w.range = x.headers[beast::field::range];
  w.if_range = x.headers[beast::field::if_range];
  return w;
}

/// The log as it is found.
struct found_log {
  unique_fd file;
  std::uint64_t size = 0, first = 0; // where the wish begins
  std::string tag;
  bool same = false; // If-Range names what it still begins with
  bool whole = false;
};

found_log find_log(const context& with, const job& j, const wish& w) {
  found_log f;
  try {
    f.file = open_beneath(with.settings.root, j.log_path);
  } catch (const failure& missing) {
    if (missing.code() != errc::not_found || j.done)
      throw;
    f.first = w.offset.value_or(0);
    return f; // Slurm makes it when the job starts
  }
  struct stat about {};
  if (fstat(f.file.get(), &about) != 0)
    throw errno_failure("look at the log");
  f.size = static_cast<std::uint64_t>(about.st_size);
  f.tag = growing_tag(f.file.get(), f.size);
  f.same = !w.if_range.empty() && still_begins_with(f.file.get(), f.size, w.if_range);
  f.first = w.tail ? tail_start(f.file.get(), f.size, *w.tail, most_tail) : w.offset.value_or(0);
  f.whole = log_is_whole(with, j.id, f.file.get(), f.size);
  return f;
}

response beyond(const found_log& f) {
  auto refused = problem(416, "the log has " + std::to_string(f.size) + " bytes now, and " +
                                  std::to_string(f.first) + " is beyond them");
  refused.message.set(beast::field::content_range, "bytes */" + std::to_string(f.size));
  return refused;
}

/// From some place to where the log ends now.
response part(found_log f) {
  auto res = text(beast::status::ok, plain, "");
  auto& m = res.message;
  m.set("Log-Offset", std::to_string(f.first));
  m.set("Log-Next-Offset", std::to_string(f.size));
  m.set("X-Content-Type-Options", "nosniff");
  m.content_length(f.size - f.first);
  res.file = file_part{std::move(f.file), f.first, f.size - f.first};
  return res;
}

response followed(const context& with, const job& j, const wish& w, found_log f) {
  log_following what;
  what.job_id = j.id;
  what.path = j.log_path;
  what.events = w.events;
  what.offset = f.first;
  what.end = std::numeric_limits<std::uint64_t>::max();
  response res;
  auto& m = res.message;
  // An open range is answered as one that ends very late; a suffix begins that far from the end.
  const auto asked = w.range.empty() || w.events
                         ? range_answer{whole{}}
                         : parse_range(w.range, std::numeric_limits<std::int64_t>::max());
  const auto* range = std::get_if<byte_range>(&asked);
  if (range && w.range.find("=-") == std::string::npos && (w.if_range.empty() || f.same)) {
    what.offset = range->first;
    const auto last = std::min(range->last, very_large);
    what.end = last == very_large ? what.end : last + 1;
    m.result(beast::status::partial_content);
    m.set(beast::field::content_range,
          "bytes " + std::to_string(range->first) + "-" + std::to_string(last) + "/*");
  }
  f.first = what.offset;
  if (what.offset > f.size)
    return beyond(f);
  if (f.file)
    what.file = with.logs.follow(std::move(f.file));
  m.set(beast::field::content_type, w.events ? "text/event-stream" : plain);
  m.set(beast::field::cache_control, "no-store");
  m.set("X-Accel-Buffering", "no");
  m.set("X-Content-Type-Options", "nosniff");
  m.set("Log-Offset", std::to_string(what.offset));
  res.rest = [&with, what = std::move(what)](body_sink& sink) {
    return follow_log(with, what, sink);
  };
  return res;
}

} // namespace

// GET /jobs/{id}/log
asio::awaitable<response> get_job_log(exchange& x) {
  const auto w = wish_of(x);
  const auto known = co_await find_job(x.with, job_id(x.args.at(0)));
  const job& j = *known;
  const auto find = [&] { return find_log(x.with, j, w); };
  auto found = co_await on(x.with.files, find);
  if (found.first > found.size)
    co_return beyond(found);
  if (w.events && x.headers.count("Last-Event-ID") > 0 && found.whole && found.first == found.size)
    co_return no_more_events();
  if (w.follow)
    co_return followed(x.with, j, w, std::move(found));
  if (!found.file)
    co_return text(beast::status::ok, plain, "");
  if (w.tail || w.offset)
    co_return part(std::move(found));
  file_answer how{"", plain, found.tag, found.size, found.same};
  co_return serve_file(std::move(found.file), how, x.headers);
}

} // namespace jobrunner::http
