#include "http/intake.hpp"

#include "actors/ask.hpp"
#include "http/blocking.hpp"

#include <caf/send.hpp>

namespace jobrunner::http {

namespace {
using namespace std::chrono_literals;
}

intake::intake(exchange& x, std::string staging, const asio::any_io_executor& home)
    : x_(x),
      staging_(std::move(staging)),
      pump_(x.body, x.with.uploads, home) {}

asio::awaitable<void> intake::receive(splitter split) {
  const pump::sink to = [this, &split](std::span<const char> bytes) -> std::function<void()> {
    auto part = split({bytes.data(), bytes.size()});
    return [this, part = std::move(part)] { keep(part); };
  };
  co_await pump_.run(x_.with.settings.max_upload_bytes, to);
}

void intake::keep(const piece& part) {
  if (!part.begin.empty()) {
    name_ = part.begin;
    into_.emplace(x_.with.extraction, staging_, name_, part.extract);
  }
  for (const auto bytes : part.bytes)
    into_->write(bytes);
}

asio::awaitable<arrival> intake::finish() {
  archive::ingested done;
  const std::function<void()> end = [this, &done] { done = into_->finish(); };
  co_await pump_.last(end);
  co_return arrival{staging_, done.sha256, name_, done.extracted, done.bytes};
}

asio::awaitable<void> intake::clean() {
  const auto sweep = [this] {
    into_.reset(); // ends an extractor that still runs
    archive::discard(x_.with.extraction, staging_);
  };
  co_await on(x_.with.uploads, sweep);
  caf::anon_send(x_.with.to.datasets, atom::abort_v, staging_);
}

void check_length(const exchange& x) {
  const auto expected = x.body.length().value_or(0);
  if (expected > x.with.settings.max_upload_bytes)
    throw failure(errc::too_large, "the upload has " + std::to_string(expected) +
                                       " bytes; JR_MAX_UPLOAD_BYTES allows " +
                                       std::to_string(x.with.settings.max_upload_bytes));
}

asio::awaitable<dataset> take_in(exchange& x,
                                 std::function<asio::awaitable<arrival>(intake&)> receive) {
  check_length(x);
  const auto expected = x.body.length().value_or(0);
  auto staging = co_await ask(x.with.to.datasets, 30s, atom::begin_v, expected);
  const asio::any_io_executor home = co_await asio::this_coro::executor;
  intake into{x, std::move(staging), home};
  dataset made;
  std::exception_ptr failed;
  try {
    auto arrived = co_await receive(into);
    made = co_await ask(x.with.to.datasets, 60s, atom::commit_v, std::move(arrived));
  } catch (...) {
    failed = std::current_exception();
  }
  co_await into.clean();
  if (failed)
    std::rethrow_exception(failed);
  co_return made;
}

} // namespace jobrunner::http
