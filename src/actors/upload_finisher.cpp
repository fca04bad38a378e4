// A resumable upload that is complete becomes a dataset. A file whose hash was taken while it came
// gets a second name in a staging folder, and is not copied; an archive is read and extracted.
#include "actors/make_dataset.hpp"
#include "actors/upload_store.hpp"
#include "archive/ingest.hpp"
#include "core/durable.hpp"
#include "core/failpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;
using stop_flag = std::shared_ptr<std::atomic<bool>>;

constexpr std::size_t chunk = 1 << 20;

/// Every byte of them, one file after the other.
template <class F>
void read_all(const std::vector<fs::path>& files, const std::atomic<bool>& stopping, F use) {
  std::vector<char> buffer(chunk);
  for (const auto& name : files) {
    const unique_fd file{::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!file)
      throw errno_failure("open the upload");
    for (;;) {
      if (stopping)
        throw failure(errc::unavailable, "the server is being stopped");
      const auto n = read(file.get(), buffer.data(), buffer.size());
      if (n < 0)
        throw errno_failure("read the upload");
      if (n == 0)
        break;
      use(std::span<const char>{buffer.data(), static_cast<std::size_t>(n)});
    }
  }
}

void check(const upload_whole& what, const std::string& sha256) {
  if (!what.now.sha256.empty() && what.now.sha256 != sha256)
    throw failure(errc::invalid,
                  "sha256 is " + what.now.sha256 + ", but the bytes that arrived have " + sha256);
}

/// The upload's file is ours and nobody else's, so that a second name for it is as good as a copy.
arrival link_in(const upload_whole& what, const std::string& staging, const stop_flag& stopping) {
  auto sha256 = what.sha256;
  if (sha256.empty()) { // the server was started again since its first byte
    jobrunner::sha256 hash;
    read_all(what.files, *stopping, [&](auto bytes) { hash.update(bytes.data(), bytes.size()); });
    sha256 = hash.finish();
  }
  check(what, sha256);
  const auto folder = fs::path{staging} / "data", name = folder / what.now.filename;
  const unique_fd file{::open(what.files.front().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file || mkdir(folder.c_str(), 0770) != 0 ||
      link(what.files.front().c_str(), name.c_str()) != 0 || fchmod(file.get(), 0444) != 0)
    throw errno_failure("name the upload");
  JR_FAILPOINT("upload_linked");
  sync(file.get(), "the upload");
  sync_folder(folder);
  return {staging, sha256, what.now.filename, false, static_cast<std::int64_t>(what.now.length)};
}

arrival arrive(const services& with, const upload_whole& what, const std::string& staging,
               const stop_flag& stopping) {
  const bool archive =
      what.now.extract && archive::kind_of(what.now.filename) != archive::kind::none;
  if (!archive && what.files.size() == 1)
    return link_in(what, staging, stopping);
  const auto how = archive::extraction_of(with.extractors, with.settings);
  archive::ingest into{how, staging, what.now.filename, archive};
  read_all(what.files, *stopping, [&](auto bytes) { into.write(bytes); });
  const auto done = into.finish();
  check(what, done.sha256);
  return {staging, done.sha256, what.now.filename, done.extracted, done.bytes};
}

} // namespace

finisher_actor::behavior_type upload_finisher(finisher_actor::pointer self, const services& with,
                                              const dataset_actor& datasets,
                                              const stop_flag& stopping) {
  return {[=, &with](atom::commit, const upload_whole& what) -> caf::result<dataset> {
    auto promise = self->make_response_promise<dataset>();
    const auto fill = [=, &with](const std::string& staging) {
      return arrive(with, what, staging, stopping);
    };
    make_dataset(self, with, datasets, 0, promise, fill, [self] { self->quit(); });
    return promise;
  }};
}

} // namespace jobrunner
