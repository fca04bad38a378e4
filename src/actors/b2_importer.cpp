#include "actors/b2_importer.hpp"

#include "actors/make_dataset.hpp"
#include "actors/transfer_task.hpp"
#include "core/beneath.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <vector>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_imports = 4;
constexpr std::size_t buffer_bytes = 1 << 20;

using path_importer = caf::typed_actor<caf::replies_to<atom::import, std::string>::with<dataset>>;

struct source {
  fs::path root;
  std::string relative;
};

/// Where `src_path` may be read: below the mount if it is relative, below an import root if not.
source find_source(const services& with, const std::string& src_path) {
  if (src_path.empty())
    throw failure(errc::invalid, "src_path is empty, but must name a file below JR_B2_MOUNT");
  if (std::ranges::count(fs::path{src_path}, "..") > 0) // whatever is mounted
    throw failure(errc::invalid,
                  "src_path is " + shown(src_path) + ", but must not climb with \"..\"");
  if (src_path.front() != '/') {
    const auto seen = with.published.slurm.view();
    if (with.settings.b2_enabled && !seen.b2_mounted)
      throw failure(errc::unavailable, "no bucket is mounted at " +
                                           with.settings.b2_mount.string() +
                                           (seen.b2_problem.empty() ? "" : ": ") + seen.b2_problem);
    if (!with.settings.b2_enabled && !fs::is_directory(with.settings.b2_mount))
      throw failure(errc::unavailable, "no bucket is mounted (JR_B2_ENABLE=0 and " +
                                           with.settings.b2_mount.string() + " does not exist)");
    return {with.settings.b2_mount, src_path};
  }
  const auto inside = [&](const fs::path& root) {
    const auto text = root.string() + "/";
    return src_path.starts_with(text) ? std::optional{src_path.substr(text.size())} : std::nullopt;
  };
  for (const auto& root : with.settings.import_roots)
    if (const auto rest = inside(root))
      return {root, *rest};
  if (const auto rest = inside(with.settings.b2_mount))
    return {with.settings.b2_mount, *rest};
  throw failure(errc::invalid, "src_path is " + shown(src_path) +
                                   ", but must be relative to JR_B2_MOUNT or "
                                   "below a folder that JR_IMPORT_ROOTS names");
}

/// The name becomes the dataset's, and a part of every answer that shows its path.
void check_name(const std::string& src_path, const std::string& name) {
  const auto control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (!is_utf8(name) || std::ranges::any_of(name, control))
    throw failure(errc::invalid, "src_path is " + shown(src_path) +
                                     ", whose last part is not UTF-8 or has control characters");
}

unique_fd open_source(const source& from) {
  try {
    return open_beneath(from.root, from.relative);
  } catch (const failure& f) {
    throw failure(f.code(), "src_path is " + shown(from.relative) + ": " + f.what());
  }
}

/// Copies the file into the staging folder, as an upload would arrive.
arrival copy(const services& with, int file, const std::string& staging, const std::string& name) {
  const auto how = archive::extraction_of(with.extractors, with.settings);
  archive::ingest into{how, staging, name, true};
  std::vector<char> buffer(buffer_bytes);
  for (;;) {
    const auto n = read(file, buffer.data(), buffer.size());
    if (n < 0)
      throw failure(errc::unavailable, "the file cannot be read to its end: the mount fails");
    if (n == 0)
      break;
    into.write({buffer.data(), static_cast<std::size_t>(n)});
  }
  const auto done = into.finish();
  return {staging, done.sha256, name, done.extracted, done.bytes};
}

/// One import: it may take as long as the file is large, so it has a thread of its own, and ends
/// with its answer.
path_importer::behavior_type import_task(path_importer::pointer self, const services& with,
                                         const dataset_actor& datasets) {
  return {[=, &with](atom::import, const std::string& src_path) -> caf::result<dataset> {
    auto promise = self->make_response_promise<dataset>();
    try {
      const auto from = find_source(with, src_path);
      const auto name = fs::path{from.relative}.filename().string();
      check_name(src_path, name);
      const auto file = std::make_shared<unique_fd>(open_source(from));
      struct stat about {};
      fstat(file->get(), &about);
      const auto fill = [=, &with](const std::string& staging) {
        return copy(with, file->get(), staging, name);
      };
      make_dataset(self, with, datasets, static_cast<std::uint64_t>(about.st_size), promise, fill,
                   [self] { self->quit(); });
    } catch (...) {
      promise.deliver(current_error());
      self->quit();
    }
    return promise;
  }};
}

/// For messages that nobody waits for an answer to.
template <class F>
void quietly(F f) {
  try {
    f();
  } catch (const std::exception& e) {
    log("transfers", "failed", {{"why", e.what()}});
  }
}

} // namespace

importer_actor::behavior_type b2_importer(importer_actor::stateful_pointer<importer_state> self,
                                          const services& with, const dataset_actor& datasets,
                                          const job_actor& jobs) {
  auto& state = self->state;
  const auto start = [=, &with](const transfer& t, const std::shared_ptr<transfer_orders>& orders) {
    const transfer_peers peers{datasets, jobs, self}; // kept here it would keep this actor alive
    return self
        ->spawn<caf::detached + caf::monitored>(transfer_task, std::cref(with), peers, t, orders)
        .address();
  };
  state.desk = std::make_unique<transfer_desk>(with, start);
  auto* desk = state.desk.get();
  self->set_down_handler([self, desk](const caf::down_msg& down) {
    if (self->state.copies.erase(down.source) == 0 && !desk->ended(down.source))
      desk->gone(down.source);
  });
  return {
      [=, &with](atom::import atom, const std::string& src_path) -> caf::result<dataset> {
        auto& copies = self->state.copies;
        if (copies.size() >= most_imports)
          return caf::make_error(errc::too_many,
                                 std::to_string(copies.size()) +
                                     " imports are under way, which is the limit; try again later");
        const auto task =
            self->spawn<caf::detached + caf::monitored>(import_task, std::cref(with), datasets);
        copies.insert(task.address());
        return self->delegate(task, atom, src_path);
      },
      [desk](atom::submit, const transfer& t) -> caf::result<transfer> {
        return answer([&] { return desk->submit(t); });
      },
      [desk](atom::get, const std::string& id) -> caf::result<transfer> {
        return answer([&] { return desk->get(id); });
      },
      [=](atom::wait, const transfer_wait& w) -> caf::result<transfer> {
        return answered([&]() -> caf::result<transfer> {
          if (desk->satisfied(w))
            return desk->get(w.id);
          // Who asks is monitored; it exits when its HTTP client hangs up.
          const auto asker = caf::actor_cast<caf::actor_addr>(self->current_sender());
          auto reply = self->make_response_promise<transfer>();
          const auto key = desk->park(w, asker, reply);
          self->monitor(asker);
          self->delayed_send(self, w.patience, atom::expire_v, key);
          return reply;
        });
      },
      [desk](atom::cancel, const std::string& id) -> caf::result<transfer> {
        return answer([&] { return desk->cancel(id); });
      },
      [desk](atom::list, const transfer_query& q) -> caf::result<transfer_list> {
        return answer([&] { return desk->list(q); });
      },
      [desk](atom::seen, const transfer_report& r) { quietly([&] { desk->report(r); }); },
      [desk](atom::expire, std::uint64_t key) { quietly([&] { desk->expire(key); }); },
  };
}

} // namespace jobrunner
