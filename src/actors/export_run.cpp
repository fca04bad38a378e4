#include "actors/export_run.hpp"

#include "actors/job_files.hpp"
#include "core/error.hpp"
#include "s3/key_path.hpp"

#include <filesystem>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

std::vector<s3::to_send> files_of(const services& with, const job& of, const std::string& prefix) {
  std::vector<s3::to_send> files;
  for (const auto& f : job_files(of, with.settings.max_extracted_files)) {
    s3::key_path(prefix + f.path);
    files.push_back({f.path, static_cast<std::uint64_t>(f.bytes)});
  }
  return files;
}

} // namespace

transfer_report run_export(const services& with, const transfer& wanted, const job& of,
                           transfer_orders& orders, const import_run::progress& tell) {
  if (!of.done)
    throw failure(errc::conflict, "job " + std::to_string(of.id) + " is " + of.state +
                                      "; its outputs can be exported once it has ended");
  const auto prefix = s3::export_prefix(wanted.prefix);
  const auto to = place_of(with.settings, wanted);
  const auto folder = transfer_folder(with.settings, wanted.id);
  fs::create_directories(folder);
  auto files = files_of(with, of, prefix);
  transfer_report so_far;
  so_far.id = wanted.id;
  so_far.files_total = static_cast<std::int64_t>(files.size());
  so_far.bytes_total = 0;
  for (const auto& f : files)
    *so_far.bytes_total += static_cast<std::int64_t>(f.size);
  const auto deadline = std::chrono::steady_clock::now() + with.settings.s3.longest;
  const auto arrived = [&](std::uint64_t bytes, std::uint64_t count) {
    so_far.bytes_done = static_cast<std::int64_t>(bytes);
    so_far.files_done = static_cast<std::int64_t>(count);
    if (std::chrono::steady_clock::now() > deadline)
      throw failure(errc::unprocessable, "it took longer than JR_S3_MAX_S=" +
                                             std::to_string(with.settings.s3.longest.count()) +
                                             " seconds");
    tell(so_far);
  };
  s3::sending sending{
      {to, prefix, of.result_dir, std::move(files), folder / "journal", pace_of(with.settings)},
      arrived};
  try {
    sending.run(orders.stop.get_token());
  } catch (...) {
    if (!orders.stop.stop_requested() || orders.cancelled.load())
      sending.abort();
    throw;
  }
  so_far.state = "COMPLETED";
  return so_far;
}

} // namespace jobrunner
