// All outputs of a job as one tar archive.
#include "core/error.hpp"
#include "http/blocking.hpp"
#include "http/handlers.hpp"
#include "http/lookup.hpp"
#include "http/transfer.hpp"
#include "slurm/job_results.hpp"

namespace jobrunner::http {

namespace {

std::shared_ptr<const archive::tar_plan> plan_archive(const context& with, const job& j) {
  try {
    return with.plans.plan(
        j.result_dir, [&j](std::string_view path) { return slurm::is_set_aside(path, j.attempt); });
  } catch (const failure& f) {
    if (f.code() != errc::unprocessable)
      throw;
    throw failure(f.code(), "job " + std::to_string(j.id) +
                                " has left too much for one archive: " + f.what());
  }
}

} // namespace

// GET /outputs/archive?job_id=
asio::awaitable<response> download_archive(exchange& x) {
  x.query.allow({"job_id"});
  const auto known = co_await find_job(x.with, job_id(x.query.text("job_id")));
  const job& j = *known;
  const auto make_plan = [&] { return plan_archive(x.with, j); };
  auto plan = co_await on(x.with.files, make_plan);
  described_bytes what;
  what.size = plan->size();
  what.etag = plan->etag();
  what.changed = plan->changed();
  what.date_is_strong = false; // a file that is gone leaves the others' times as they are
  what.name = "job-" + std::to_string(j.id) + ".tar";
  what.content_type = "application/x-tar";
  auto answer = describe(what, x.headers);
  if (answer.part)
    answer.head.archive =
        archive_part{std::move(plan), j.result_dir, answer.part->first, answer.part->size};
  co_return std::move(answer.head);
}

} // namespace jobrunner::http
