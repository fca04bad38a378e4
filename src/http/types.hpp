// What a handler sees of HTTP: the request with its fields, the actors, and what it answers with.
#pragma once

#include "actors/api.hpp"
#include "actors/board.hpp"
#include "archive/ingest.hpp"
#include "archive/tar_planner.hpp"
#include "core/config.hpp"
#include "core/file_stamp.hpp"
#include "core/unique_fd.hpp"
#include "http/host_report.hpp"
#include "http/text/fields.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::http {

namespace asio = boost::asio;
namespace beast = boost::beast::http;

/// Beast has its own string_view.
inline std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// Bytes of a file that follow the header of an answer.
struct file_part {
  unique_fd file;
  std::uint64_t first = 0, size = 0;
  std::optional<file_stamp> was{}; // it must stay this until it is sent
};

/// Bytes of a tar archive that follow the header of an answer.
struct archive_part {
  std::shared_ptr<const archive::tar_plan> plan;
  std::string folder; // of its files
  std::uint64_t first = 0, size = 0;
};

/// Where the rest of an answer goes whose length is not known when it begins.
class body_sink {
public:
  /// Returns when the connection has taken it. Throws boost::system::system_error when the client
  /// is gone or too slow.
  virtual asio::awaitable<void> write(std::string_view bytes) = 0;

protected:
  ~body_sink() = default;
};

/// Writes the rest of an answer, for as long as it likes. It is cancelled, wherever it waits, when
/// the client hangs up or the server stops. If it throws the client sees a body that was cut.
using body_source = std::function<asio::awaitable<void>(body_sink&)>;

struct response;

/// An answer for which something has to happen first. Meanwhile nothing is left of the exchange,
/// nor is there a coroutine, so that whoever waits for long costs little.
class late_answer {
public:
  late_answer() = default;
  virtual ~late_answer() = default;
  late_answer(const late_answer&) = delete;
  late_answer& operator=(const late_answer&) = delete;

  /// Begins to wait; `done` is called on `ex`, once, and not from here. `cancelled` is emitted when
  /// the client hangs up or the server stops, and then ends it soon.
  virtual void wait(const asio::any_io_executor& ex, asio::cancellation_slot cancelled,
                    std::function<void()> done) = 0;
  /// After a wait: true once it is made, false to wait again. Throws failure.
  virtual asio::awaitable<bool> make(response& res) = 0;
};

struct response {
  beast::response<beast::string_body> message;
  std::optional<file_part> file;         // instead of the message's body; its Content-Length is set
  std::optional<archive_part> archive{}; // likewise
  body_source rest{};                    // instead of the message's body; of unknown length
  std::unique_ptr<late_answer> later{};  // instead of all that
};

/// The body of a request as it arrives.
class body_stream {
public:
  /// The next bytes, at most as many as `into` has room for; 0 at the end. Throws failure{invalid}
  /// (broken framing), too_large, or boost::system::system_error when the client is gone or too
  /// slow.
  virtual asio::awaitable<std::size_t> read(std::span<char> into) = 0;
  /// Content-Length, if the client said it.
  virtual std::optional<std::uint64_t> length() const = 0;

protected:
  ~body_stream() = default;
};

class log_watch;
class shown_jobs;

/// What every request shares.
struct context {
  const config& settings;
  const actors& to;
  const boards& published;
  const archive::extraction& extraction;
  const host_report& found;   // when this instance was set up
  asio::thread_pool& files;   // blocking reads of files
  asio::thread_pool& uploads; // hashing, writing and feeding extractors
  log_watch& logs;            // who follows them
  shown_jobs& shown;          // texts of jobs
  archive::tar_planner& plans;
  std::chrono::steady_clock::time_point started;
};

struct exchange {
  const context& with;
  const beast::fields& headers;
  std::vector<std::string> args; // what fills the holes of the route's pattern
  fields query;
  fields form;       // for routes that take one
  body_stream& body; // for routes that stream
};

response json(beast::status, const boost::json::value& body);
response text(beast::status, std::string_view content_type, std::string body);

/// {id} of a route: a positive whole number. Throws failure{not_found}: no other job can exist.
std::int64_t job_id(const std::string& text);

} // namespace jobrunner::http
