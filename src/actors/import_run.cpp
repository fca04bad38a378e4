#include "actors/import_run.hpp"

#include "actors/extraction.hpp"
#include "archive/ingest.hpp"
#include "core/durable.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "s3/key_path.hpp"

#include <fcntl.h>

#include <algorithm>
#include <set>
#include <sys/stat.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

/// The part of a prefix that is a folder: what follows it is part of the files' names.
std::string folder_part(const std::string& prefix) {
  return prefix.substr(0, prefix.rfind('/') + 1);
}

void write_names(const fs::path& file, const std::string& text) {
  const unique_fd fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640)};
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw errno_failure("write the list of a dataset's files");
  sync(fd.get(), "the list of a dataset's files");
}

} // namespace

s3::place place_of(const config& settings, const transfer& t) {
  if (!t.endpoint.empty()) // of the client's own, so without keys of ours
    return {{t.bucket, t.bucket, tidy_endpoint(t.endpoint), region_of(t.endpoint), "", {}},
            settings.outside,
            settings.s3.stall};
  const auto found = std::ranges::find(settings.s3.buckets, t.bucket, &bucket::name);
  if (found == settings.s3.buckets.end())
    throw failure(errc::not_found, "bucket " + shown(t.bucket) + " is no longer set");
  return {*found, settings.outside, settings.s3.stall};
}

s3::pace pace_of(const config& settings) {
  s3::pace how;
  how.connections = settings.s3.connections;
  how.tries.total = settings.s3.retry;
  return how;
}

import_run::import_run(const services& with, transfer wanted,
                       std::shared_ptr<transfer_orders> orders, progress tell)
    : with_(with),
      wanted_(std::move(wanted)),
      orders_(std::move(orders)),
      stop_(orders_->stop.get_token()),
      tell_(std::move(tell)),
      from_(place_of(with.settings, wanted_)),
      deadline_(std::chrono::steady_clock::now() + with.settings.s3.longest) {
  so_far_.id = wanted_.id;
}

std::uint64_t import_run::plan() {
  objects_.clear();
  paths_.clear();
  landing_.reset();
  if (wanted_.key.empty())
    plan_prefix();
  else
    plan_object();
  check_limits();
  std::uint64_t bytes = 0;
  for (const auto& o : objects_)
    bytes += o.size;
  so_far_.bytes_done = so_far_.files_done = 0;
  so_far_.bytes_total = static_cast<std::int64_t>(bytes);
  so_far_.files_total = static_cast<std::int64_t>(objects_.size());
  if (!archive_) {
    const auto folder = transfer_folder(with_.settings, wanted_.id);
    fs::create_directories(folder);
    const auto encrypted = [this](const s3::object& o) {
      s3::client service{from_, stop_};
      return s3::retry(pace_of(with_.settings).tries, stop_, [&] { return service.head(o.key); })
          .encrypted;
    };
    landing_.emplace(folder, objects_, paths_,
                     s3::landing::rules{with_.settings.min_free_bytes, encrypted});
    so_far_.bytes_done = static_cast<std::int64_t>(landing_->bytes());
    so_far_.files_done = static_cast<std::int64_t>(landing_->first());
  }
  JR_FAILPOINT("import_planned");
  tell_(so_far_);
  return bytes - static_cast<std::uint64_t>(so_far_.bytes_done);
}

void import_run::plan_object() {
  s3::client service{from_, stop_};
  objects_.push_back(
      s3::retry(pace_of(with_.settings).tries, stop_, [&] { return service.head(wanted_.key); }));
  const auto name = wanted_.filename.empty() ? s3::key_name(wanted_.key) : wanted_.filename;
  paths_.push_back(name);
  archive_ = wanted_.extract && archive::kind_of(name) != archive::kind::none;
}

void import_run::plan_prefix() {
  s3::client service{from_, stop_};
  const auto folder = folder_part(wanted_.prefix);
  std::string token;
  do {
    check_deadline();
    const auto page = s3::retry(pace_of(with_.settings).tries, stop_,
                                [&] { return service.list(wanted_.prefix, token); });
    for (const auto& o : page.objects) {
      if (!o.key.starts_with(wanted_.prefix))
        throw failure(errc::unavailable, "the service lists a key that was not asked for");
      const auto rest = o.key.substr(folder.size());
      if (o.size == 0 && (rest.empty() || rest.ends_with('/')))
        continue; // how consoles mark a folder
      paths_.push_back(s3::key_path(rest));
      objects_.push_back(o);
    }
    if (objects_.size() > with_.settings.max_extracted_files)
      throw failure(errc::too_large, "there are more than JR_MAX_EXTRACTED_FILES=" +
                                         std::to_string(with_.settings.max_extracted_files) +
                                         " objects under this prefix");
    if (!page.next.empty() && page.next == token)
      throw failure(errc::unavailable, "the service's list does not end");
    token = page.next;
  } while (!token.empty());
  if (objects_.empty())
    throw failure(errc::not_found,
                  "bucket " + from_.where.name + " has no objects under " + shown(wanted_.prefix));
  if (std::set<std::string>{paths_.begin(), paths_.end()}.size() != paths_.size())
    throw failure(errc::unavailable, "the service lists a key twice");
}

void import_run::check_limits() const {
  const auto most =
      wanted_.key.empty() ? with_.settings.max_extracted_bytes : with_.settings.max_upload_bytes;
  std::uint64_t bytes = 0;
  for (const auto& o : objects_) {
    if (o.size > most - bytes)
      throw failure(errc::too_large,
                    std::string{"there are more bytes than "} +
                        (wanted_.key.empty() ? "JR_MAX_EXTRACTED_BYTES=" : "JR_MAX_UPLOAD_BYTES=") +
                        std::to_string(most) + " allows");
    bytes += o.size;
  }
}

arrival import_run::receive(const std::string& staging) {
  auto arrived = archive_ ? receive_archive(staging) : receive_files(staging);
  tell_(so_far_);
  return arrived;
}

void import_run::take(const s3::take& into, std::size_t first, std::uint64_t offset) {
  s3::fetch(from_, objects_, first, offset, pace_of(with_.settings), stop_,
            [&](const s3::piece& what, std::span<const char> bytes) {
              check_deadline();
              into(what, bytes);
              so_far_.bytes_done += static_cast<std::int64_t>(bytes.size());
              if (what.offset + what.size == objects_[what.object].size)
                ++so_far_.files_done;
              tell_(so_far_);
            });
}

void import_run::check_deadline() const {
  if (std::chrono::steady_clock::now() > deadline_)
    throw failure(errc::unprocessable, "it took longer than JR_S3_MAX_S=" +
                                           std::to_string(with_.settings.s3.longest.count()) +
                                           " seconds");
}

void import_run::check_sha256(const std::string& found) const {
  if (!wanted_.sha256.empty() && wanted_.sha256 != found)
    throw failure(errc::invalid, "sha256 is " + wanted_.sha256 + ", but what arrived has " + found);
}

arrival import_run::receive_archive(const std::string& staging) {
  const auto how = extraction_of(with_);
  archive::ingest into{how, staging, paths_.front(), true};
  take([&](const s3::piece&, std::span<const char> bytes) { into.write(bytes); }, 0, 0);
  const auto done = into.finish();
  check_sha256(done.sha256);
  return {staging, done.sha256, paths_.front(), done.extracted, done.bytes};
}

arrival import_run::receive_files(const std::string& staging) {
  take([&](const s3::piece& what, std::span<const char> bytes) { landing_->write(what, bytes); },
       landing_->first(), landing_->offset());
  const auto& files = landing_->finish();
  const auto list = s3::manifest_of(files);
  const bool one = !wanted_.key.empty();
  const auto sha = one ? files.front().sha256 : sha256_of(list);
  check_sha256(sha);
  if (!one)
    write_names(fs::path{staging} / "files", list);
  JR_FAILPOINT("import_landed");
  const auto data = transfer_folder(with_.settings, wanted_.id) / "data";
  if (rename(data.c_str(), (fs::path{staging} / "data").c_str()) != 0)
    throw errno_failure("move an import to its staging folder");
  JR_FAILPOINT("import_moved");
  return {staging, sha, one ? paths_.front() : "", !one, *so_far_.bytes_total};
}

} // namespace jobrunner
