// POST /datasets/upload: the body is parsed as it arrives, and while the next bytes are received
// the last ones are hashed, written and fed to the extractor. Two buffers, whatever the size.
#include "actors/ask.hpp"
#include "core/hex.hpp"
#include "core/text.hpp"
#include "http/background.hpp"
#include "http/blocking.hpp"
#include "http/handlers.hpp"
#include "http/text/ascii.hpp"
#include "http/text/multipart.hpp"
#include "http/text/safe_name.hpp"

#include <caf/send.hpp>

#include <array>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t buffer_bytes = 512U << 10U;
constexpr std::size_t longest_field = 1024;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// What the bytes just parsed mean for the disk, to be done on the pool.
struct batch {
  std::string begin;                   // the file's name, if it begins here
  std::vector<std::string_view> bytes; // of the file
};

/// The parts of an upload's form: `file`, and fields that are kept.
class upload_form final : public multipart_events {
public:
  void part_begin(const part_header& part) override {
    in_file_ = part.name == "file" && part.filename;
    if (in_file_ && file_seen)
      throw failure(errc::invalid, "the form has two files; upload them one by one");
    if (in_file_) {
      file_seen = true;
      now.begin = safe_name(*part.filename);
    } else if (part.name == "file") {
      throw failure(
          errc::invalid,
          "the field file is no file: it has no filename (with curl: -F file=@data.tar.gz)");
    } else if (part.name == "sha256") {
      sha256.emplace();
    } else {
      throw failure(errc::invalid,
                    "unknown field " + shown(part.name) + "; known are: file, sha256");
    }
  }
  void part_data(std::string_view bytes) override {
    if (in_file_)
      now.bytes.push_back(bytes);
    else if (sha256->size() + bytes.size() > longest_field)
      throw failure(errc::invalid, "sha256 is longer than " + std::to_string(longest_field) +
                                       " bytes, but has 64 digits");
    else
      *sha256 += bytes;
  }
  void part_end() override {
    if (in_file_ || !sha256)
      return;
    *sha256 = lower(trimmed(*sha256));
    if (sha256->empty())
      sha256.reset(); // an empty field of a form is one that was not filled in
    else if (!is_sha256(*sha256))
      throw failure(errc::invalid,
                    "sha256 is " + shown(*sha256) + ", but must be 64 hexadecimal digits");
  }

  batch now;
  std::optional<std::string> sha256;
  bool file_seen = false;

private:
  bool in_file_ = false;
};

class upload {
public:
  upload(exchange& x, std::string staging, const asio::any_io_executor& home)
      : x_(x),
        staging_(std::move(staging)),
        work_(x.with.uploads, home),
        buffers_{std::vector<char>(buffer_bytes), std::vector<char>(buffer_bytes)} {}

  asio::awaitable<arrival> receive() {
    multipart_parser parser{boundary_of(view(x_.headers[beast::field::content_type])), form_};
    std::uint64_t received = 0;
    for (std::size_t turn = 0;; ++turn) {
      auto& buffer = buffers_.at(turn % 2);
      const auto n = co_await fill(buffer);
      if (n == 0)
        break;
      received += n;
      if (received > x_.with.settings.max_upload_bytes)
        throw failure(errc::too_large, "the upload is larger than JR_MAX_UPLOAD_BYTES=" +
                                           std::to_string(x_.with.settings.max_upload_bytes));
      parser.feed({buffer.data(), n});
      co_await work_.wait(); // for the other buffer
      auto store = [this, todo = std::exchange(form_.now, {})] { keep(todo); };
      work_.start(std::move(store));
    }
    co_await work_.wait();
    parser.end();
    if (!form_.file_seen)
      throw failure(errc::invalid, "the form has no field file (with curl: -F file=@data.tar.gz)");
    auto arrived = co_await finish();
    co_return arrived;
  }

  /// To be awaited before this goes, whatever has happened.
  asio::awaitable<void> clean() {
    try {
      co_await work_.wait();
    } catch (const std::exception&) {
      // what failed is known already
    }
    const auto sweep = [this] {
      into_.reset(); // ends an extractor that still runs
      archive::discard(x_.with.extraction, staging_);
    };
    co_await on(x_.with.uploads, sweep);
    caf::anon_send(x_.with.to.datasets, atom::abort_v, staging_);
  }

private:
  /// A full buffer if there is that much: small pieces would cost a switch of threads each.
  asio::awaitable<std::size_t> fill(std::span<char> buffer) {
    std::size_t have = 0;
    while (have < buffer.size()) {
      const auto n = co_await x_.body.read(buffer.subspan(have));
      if (n == 0)
        break;
      have += n;
    }
    co_return have;
  }

  void keep(const batch& todo) {
    if (!todo.begin.empty()) {
      name_ = todo.begin;
      into_.emplace(x_.with.extraction, staging_, name_, true);
    }
    for (const auto bytes : todo.bytes)
      into_->write(bytes);
  }

  asio::awaitable<arrival> finish() {
    archive::ingested done;
    auto end = [this, &done] { done = into_->finish(); };
    work_.start(std::move(end));
    co_await work_.wait();
    if (form_.sha256 && *form_.sha256 != done.sha256)
      throw failure(errc::invalid, "sha256 is " + *form_.sha256 +
                                       ", but the file that arrived has " + done.sha256);
    co_return arrival{staging_, done.sha256, name_, done.extracted, done.bytes};
  }

  exchange& x_;
  std::string staging_, name_;
  background work_;
  std::array<std::vector<char>, 2> buffers_;
  upload_form form_;
  std::optional<archive::ingest> into_;
};

} // namespace

// POST /datasets/upload
asio::awaitable<response> upload_dataset(exchange& x) {
  boundary_of(
      view(x.headers[beast::field::content_type])); // refused before a byte of the body is read
  const auto expected = x.body.length().value_or(0);
  if (expected > x.with.settings.max_upload_bytes)
    throw failure(errc::too_large, "the upload has " + std::to_string(expected) +
                                       " bytes; JR_MAX_UPLOAD_BYTES allows " +
                                       std::to_string(x.with.settings.max_upload_bytes));
  auto staging = co_await ask(x.with.to.datasets, 30s, atom::begin_v, expected);
  const asio::any_io_executor home = co_await asio::this_coro::executor;
  upload u{x, std::move(staging), home};
  dataset made;
  std::exception_ptr failed;
  try {
    auto arrived = co_await u.receive();
    made = co_await ask(x.with.to.datasets, 60s, atom::commit_v, std::move(arrived));
  } catch (...) {
    failed = std::current_exception();
  }
  co_await u.clean();
  if (failed)
    std::rethrow_exception(failed);
  co_return json(beast::status::ok,
                 {{"sha256", made.sha256}, {"stored_path", made.rel_path}, {"bytes", made.bytes}});
}

} // namespace jobrunner::http
