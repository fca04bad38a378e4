// Files that jobs left: result.json, outputs.
#include "actors/ask.hpp"
#include "core/beneath.hpp"
#include "http/blocking.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/transfer.hpp"

#include <filesystem>

namespace jobrunner::http {

namespace {

using namespace std::chrono_literals;

asio::awaitable<unique_fd> open_file(const context& with, std::filesystem::path root,
                                     std::string relative) {
  const auto open = [&root, &relative] { return open_beneath(root, relative); };
  auto file = co_await on(with.files, open);
  co_return file;
}

asio::awaitable<response> send_output(exchange& x, std::int64_t id, std::string path) {
  const auto known = co_await find_job(x.with, id);
  const job& j = *known;
  auto file = co_await open_file(x.with, j.result_dir, path);
  file_answer how{std::filesystem::path{path}.filename().string(), "application/octet-stream"};
  how.stays = j.done;
  co_return serve_file(std::move(file), how, x.headers);
}

} // namespace

// GET /jobs/{id}/result
asio::awaitable<response> get_job_result(exchange& x) {
  const auto known = co_await find_indexed_job(x.with, job_id(x.args.at(0)));
  const job& j = *known;
  try {
    auto file = co_await open_file(x.with, j.result_dir, "result.json");
    file_answer how{"", "application/json"};
    how.stays = j.done;
    co_return serve_file(std::move(file), how, x.headers);
  } catch (const failure& f) {
    if (f.code() != errc::not_found)
      throw;
    throw failure(errc::not_found,
                  "job " + std::to_string(j.id) + " is " + j.state + " and " +
                      (j.done ? "has left no result.json" : "has not written result.json yet"));
  }
}

// GET /outputs/download?experiment_id=&output_id=
asio::awaitable<response> download_output(exchange& x) {
  x.query.allow({"experiment_id", "output_id"});
  const auto found = co_await ask(x.with.to.outputs, 30s, atom::find_v,
                                  x.query.text("experiment_id"), x.query.text("output_id"));
  auto res = co_await send_output(x, found.job_id, found.path);
  co_return res;
}

// GET /outputs/download_by_job?job_id=&rel_path=
asio::awaitable<response> download_of_job(exchange& x) {
  x.query.allow({"job_id", "rel_path"});
  auto res = co_await send_output(x, job_id(x.query.text("job_id")), x.query.text("rel_path"));
  co_return res;
}

} // namespace jobrunner::http
