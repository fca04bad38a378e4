#include "http/log_follow.hpp"

#include "actors/ask.hpp"
#include "core/beneath.hpp"
#include "core/error.hpp"
#include "core/growing_file.hpp"
#include "http/blocking.hpp"
#include "http/lookup.hpp"
#include "http/text/log_pieces.hpp"
#include "http/text/server_sent.hpp"

#include <boost/asio/error.hpp>
#include <boost/json/serialize.hpp>

#include <sys/stat.h>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr std::size_t most_read = 64 << 10, most_in_event = 16 << 10;
constexpr std::uint64_t large_hole = 1 << 20; // told to readers of events instead of sent
constexpr auto look_at_job_every = 1s;        // no growth tells that a job has ended
constexpr auto last_words = 5s;               // how long after its end a job's JOB_END may come

/// What is at an offset.
struct stretch {
  std::uint64_t size = 0; // of the log
  std::uint64_t hole = 0; // where one ends that is large, and begins here; 0: none
  bool whole = false;     // nothing follows its bytes, now or later
  std::string bytes;
};

stretch look(const context& with, const log_following& f) {
  struct stat about {};
  if (fstat(f.file->file(), &about) != 0)
    throw errno_failure("look at the log");
  stretch s;
  s.size = static_cast<std::uint64_t>(about.st_size);
  const auto until = std::min(s.size, f.end);
  const auto left = until - std::min(until, f.offset);
  const auto end = f.events ? hole_end(f.file->file(), f.offset, until) : f.offset;
  if (left > 0 && end - f.offset >= large_hole) {
    s.hole = end;
    return s;
  }
  s.bytes.resize(std::min<std::uint64_t>(left, f.events ? most_in_event : most_read));
  s.bytes.resize(read_at(f.file->file(), s.bytes, f.offset));
  const auto next = f.offset + s.bytes.size();
  s.whole =
      next >= until && (next >= f.end || log_is_whole(with, f.job_id, f.file->file(), s.size));
  return s;
}

std::string hole_event(std::uint64_t from, std::uint64_t to) {
  return server_sent(static_cast<std::int64_t>(to), "hole",
                     R"({"from":)" + std::to_string(from) + R"(,"to":)" + std::to_string(to) + "}");
}

/// The events for the bytes at f.offset, which moves on as far as they are clear.
std::string events_for(log_following& f, std::string_view bytes, bool more) {
  std::string text;
  while (!bytes.empty()) {
    const auto piece = next_piece(bytes, more);
    if (piece.size == 0)
      break;
    f.offset += piece.size;
    text += log_event(bytes.substr(0, piece.size), piece.text, f.offset);
    bytes.remove_prefix(piece.size);
  }
  return text;
}

/// Sends what is at the offset; whether that was anything.
asio::awaitable<bool> send_next(const context& with, log_following& f, body_sink& sink,
                                stretch& found) {
  const auto see = [&] { return look(with, f); };
  found = co_await on(with.files, see);
  if (found.size < f.offset)
    throw boost::system::system_error(asio::error::eof, "the log became shorter");
  const auto from = f.offset;
  if (found.hole > 0) {
    f.offset = found.hole;
    co_await sink.write(hole_event(from, found.hole));
  } else if (f.events) {
    const auto text = events_for(f, found.bytes, !found.whole);
    co_await sink.write(text);
  } else {
    f.offset += found.bytes.size();
    co_await sink.write(found.bytes);
  }
  co_return f.offset > from;
}

/// Opens the log, once it is there. Null: the job has ended and left none.
asio::awaitable<log_watch::handle> appear(const context& with, const log_following& f,
                                          body_sink& sink) {
  std::int64_t seq = 0;
  for (;;) {
    const auto known = co_await find_job(with, f.job_id);
    const job& j = *known;
    const auto open = [&]() -> log_watch::handle {
      try {
        return with.logs.follow(open_beneath(with.settings.root, f.path));
      } catch (const failure& missing) {
        if (missing.code() != errc::not_found)
          throw;
        return nullptr;
      }
    };
    auto file = co_await on(with.files, open);
    if (file || j.done)
      co_return file;
    const std::chrono::milliseconds patience = j.started_at ? look_at_job_every : server_sent_pause;
    seq = std::max(seq, j.seq);
    const auto now =
        co_await ask(with.to.jobs, in_its_time, atom::wait_v, event_wait{f.job_id, seq, patience});
    if (now <= seq && f.events)
      co_await sink.write(server_sent_heartbeat);
  }
}

asio::awaitable<void> send_end(const context& with, const log_following& f, body_sink& sink) {
  const auto known = co_await find_job(with, f.job_id);
  const job& j = *known;
  const boost::json::object about{{"job_id", j.id}, {"status", j.state}};
  co_await sink.write(
      server_sent(static_cast<std::int64_t>(f.offset), "end", boost::json::serialize(about)));
}

} // namespace

bool log_is_whole(const context& with, std::int64_t job_id, int file, std::uint64_t size) {
  const auto j = with.published.jobs.find(job_id);
  if (j && !j->done)
    return false;
  if (!j || !j->ended_at || now() - *j->ended_at > last_words)
    return true; // one that is not on the board ended long ago
  std::array<char, 64> end{};
  const auto first = size - std::min<std::uint64_t>(size, end.size());
  const std::string_view text{end.data(), read_at(file, end, first)};
  return text.find("JOB_END ") != std::string_view::npos;
}

asio::awaitable<void> follow_log(const context& with, log_following f, body_sink& sink) {
  if (f.events)
    co_await sink.write(server_sent_start(static_cast<std::int64_t>(f.offset)));
  if (!f.file)
    f.file = co_await appear(with, f, sink);
  auto quiet_since = clock::now();
  for (bool over = !f.file; !over;) {
    stretch found;
    const bool sent = co_await send_next(with, f, sink, found);
    over = found.whole;
    if (sent)
      quiet_since = clock::now();
    if (sent || over)
      continue;
    if (f.events && clock::now() - quiet_since >= server_sent_pause) {
      co_await sink.write(server_sent_heartbeat);
      quiet_since = clock::now();
    }
    co_await with.logs.change(f.file, found.size, clock::now() + look_at_job_every);
  }
  if (f.events)
    co_await send_end(with, f, sink);
}

} // namespace jobrunner::http
