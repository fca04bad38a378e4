#include "s3/sending.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/hex.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "s3/crew.hpp"
#include "s3/source_file.hpp"

#include <algorithm>

namespace jobrunner::s3 {

namespace {

// As far as a service's clock may be from ours: beyond that it refuses what we sign.
constexpr std::chrono::minutes clocks_differ{15};
constexpr std::uint64_t parts_at_most = 9000, mebibyte = 1U << 20U;

std::string unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

std::uint64_t count_in(const boost::json::object& line, const char* name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number_in(line, name), 0));
}

/// The ETag of an upload in parts whose parts' ETags are MD5s: "" if they are not.
std::string expected_etag(const std::map<unsigned, std::string>& etags) {
  std::string all;
  for (const auto& [n, etag] : etags) {
    const auto md5 = md5_of_etag(etag);
    if (md5.empty())
      return {};
    all += unhex(md5);
  }
  return "\"" + to_hex(md5_of(all)) + "-" + std::to_string(etags.size()) + "\"";
}

bool multipart_etag(const std::string& etag) {
  const auto dash = etag.find('-');
  return dash == 33 && !md5_of_etag(etag.substr(0, dash)).empty();
}

} // namespace

std::uint64_t part_bytes(std::uint64_t size, std::uint64_t least) {
  const auto needed = (size / parts_at_most / mebibyte + 1) * mebibyte;
  return size / parts_at_most < least ? least : needed;
}

sending::sending(task what, progress tell)
    : what_(std::move(what)),
      tell_(std::move(tell)),
      journal_(what_.journal) {
  read_journal();
}

void sending::read_journal() {
  sha256 hash;
  for (const auto& f : what_.files)
    for (const auto& part : {f.path, std::to_string(f.size)})
      hash.update(part.c_str(), part.size() + 1);
  const auto wanted = hash.finish();
  bool same = false;
  journal_.read([&](const boost::json::object& line) {
    same = same || text_in(line, "files") == wanted;
    const auto path = text_in(line, "path");
    // Those of another list are known too, to be aborted.
    if (line.contains("asked"))
      asked_.emplace(path, std::chrono::milliseconds{number_in(line, "asked")});
    else if (line.contains("upload")) {
      asked_.erase(path);
      open_[path] = {text_in(line, "upload"), count_in(line, "part"), text_in(line, "version"), {}};
    } else if (line.contains("sent") && open_.contains(path))
      open_[path].etags[static_cast<unsigned>(count_in(line, "sent"))] = text_in(line, "etag");
    else if (line.contains("done")) {
      open_.erase(path);
      done_.insert(path);
    }
  });
  if (!same) {
    abort();
    done_.clear();
    journal_.clear();
    journal_.append({{"files", wanted}});
  }
  for (const auto& f : what_.files)
    if (done_.contains(f.path)) {
      bytes_ += f.size;
      ++files_;
    }
}

void sending::note(const boost::json::object& line) {
  const std::lock_guard lock{guard_};
  journal_.append(line);
}

void sending::arrived(std::uint64_t bytes, std::uint64_t files) {
  const std::lock_guard lock{guard_};
  bytes_ += bytes;
  files_ += files;
  tell_(bytes_, files_);
}

void sending::run(const std::stop_token& stop) {
  std::vector<const to_send*> small, large;
  for (const auto& f : what_.files)
    if (!done_.contains(f.path))
      (f.size > what_.part ? large : small).push_back(&f);
  arrived(0, 0);
  share_out(what_.to, small.size(), what_.how.connections, stop,
            [&](client& service, std::size_t n, const std::stop_token& own) {
              send_small(service, *small[n], own);
            });
  for (const auto* f : large)
    send_large(*f, stop);
}

void sending::send_small(client& service, const to_send& f, const std::stop_token& stop) {
  const auto bytes = source_file{what_.folder, f.path, f.size}.read(0, f.size);
  retry(what_.how.tries, stop, [&] { return service.put(what_.prefix + f.path, bytes); });
  JR_FAILPOINT("export_file_sent");
  note({{"path", f.path}, {"done", true}});
  JR_FAILPOINT("export_file_noted");
  arrived(f.size, 1);
}

void sending::send_large(const to_send& f, const std::stop_token& stop) {
  const source_file file{what_.folder, f.path, f.size};
  const bool resumed = open_.contains(f.path) && open_[f.path].version == file.version();
  if (open_.contains(f.path) && !resumed)
    abort();
  if (!resumed)
    open_[f.path] = begin_upload(f, file.version(), stop);
  const auto before = bytes_;
  try {
    send_parts(f, open_[f.path], stop);
  } catch (const failure& e) {
    if (e.code() != errc::not_found || !resumed)
      throw;
    open_.erase(f.path); // the service has forgotten the upload meanwhile
    bytes_ = before;
    return send_large(f, stop);
  }
  finish_upload(f, open_[f.path], stop);
  JR_FAILPOINT("export_upload_completed");
  open_.erase(f.path);
  note({{"path", f.path}, {"done", true}});
  arrived(0, 1);
}

/// Its answer may get lost, or we before it is noted: then nobody knows the id of an upload that
/// costs money until it is aborted.
sending::upload sending::begin_upload(const to_send& f, const std::string& version,
                                      const std::stop_token& stop) {
  if (asked_.contains(f.path))
    abort_unknown(f.path, "");
  asked_[f.path] = now();
  note({{"path", f.path}, {"asked", asked_[f.path].time_since_epoch().count()}});
  client service{what_.to, stop};
  int tries = 0;
  upload made{retry(what_.how.tries, stop,
                    [&] {
                      ++tries;
                      return service.begin_upload(what_.prefix + f.path);
                    }),
              part_bytes(f.size, what_.part),
              version,
              {}};
  JR_FAILPOINT("export_upload_begun");
  if (tries > 1)
    abort_unknown(f.path, made.id);
  note({{"path", f.path}, {"upload", made.id}, {"part", made.part}, {"version", version}});
  asked_.erase(f.path);
  return made;
}

/// Ends uploads that were begun under this file's key since one was asked for; best effort.
void sending::abort_unknown(const std::string& path, const std::string& but) {
  const auto key = what_.prefix + path;
  try {
    client service{what_.to};
    for (const auto& u : service.open_uploads(key))
      if (u.id != but && u.initiated >= asked_.at(path) - clocks_differ)
        service.abort(key, u.id);
  } catch (const failure& e) {
    log("exports", "upload_left", {{"path", path}, {"why", e.what()}});
  }
}

void sending::send_parts(const to_send& f, upload& u, const std::stop_token& stop) {
  const source_file file{what_.folder, f.path, f.size};
  const auto key = what_.prefix + f.path;
  const auto count = static_cast<unsigned>((f.size + u.part - 1) / u.part);
  std::vector<unsigned> left;
  for (unsigned n = 1; n <= count; ++n)
    if (!u.etags.contains(n))
      left.push_back(n);
  const auto size_of = [&](unsigned n) { return std::min(u.part, f.size - (n - 1) * u.part); };
  for (const auto& [n, etag] : u.etags)
    arrived(size_of(n), 0);
  share_out(what_.to, left.size(), what_.how.connections, stop,
            [&](client& service, std::size_t i, const std::stop_token& own) {
              const auto n = left[i];
              const auto bytes = file.read((n - 1) * u.part, size_of(n));
              const auto etag = retry(what_.how.tries, own,
                                      [&] { return service.put_part(key, u.id, n, bytes); });
              JR_FAILPOINT("export_part_sent");
              note({{"path", f.path}, {"sent", n}, {"etag", etag}});
              JR_FAILPOINT("export_part_noted");
              {
                const std::lock_guard lock{guard_};
                u.etags[n] = etag;
              }
              arrived(bytes.size(), 0);
            });
  if (source_file{what_.folder, f.path, f.size}.version() != file.version() ||
      file.version() != u.version)
    throw file.changed();
}

void sending::finish_upload(const to_send& f, const upload& u, const std::stop_token& stop) {
  const auto key = what_.prefix + f.path;
  std::vector<std::string> etags;
  for (const auto& [n, etag] : u.etags)
    etags.push_back(etag);
  client service{what_.to, stop};
  try {
    retry(what_.how.tries, stop, [&] { return service.complete(key, u.id, etags); });
  } catch (const failure& e) {
    if (e.code() != errc::not_found) // a try whose answer was lost may have completed it
      throw;
  }
  const auto there = retry(what_.how.tries, stop, [&] { return service.head(key); });
  const auto wanted = expected_etag(u.etags);
  if (there.size != f.size ||
      (!wanted.empty() && multipart_etag(there.etag) && there.etag != wanted))
    throw failure(errc::unprocessable, "the bucket has other bytes under " + shown(key) +
                                           " than were sent: " + std::to_string(there.size) +
                                           " bytes with the ETag " + shown(there.etag));
}

void sending::abort() {
  for (const auto& [path, u] : open_)
    try {
      client{what_.to}.abort(what_.prefix + path, u.id);
    } catch (const failure& e) {
      log("exports", "upload_left", {{"path", path}, {"why", e.what()}});
    }
  open_.clear();
  for (const auto& [path, since] : asked_)
    abort_unknown(path, "");
  asked_.clear();
}

} // namespace jobrunner::s3
