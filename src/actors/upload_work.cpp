// What upload_store does with uploads that are complete, and with those that have expired.
#include "actors/errors.hpp"
#include "actors/upload_store.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"

namespace jobrunner {

namespace {
constexpr std::size_t most_finishing = 4; // each has a thread, and perhaps an extractor
}

void upload_store::finish_next() {
  while (finishing_ < most_finishing && !whole_.empty()) {
    const auto id = whole_.front();
    whole_.pop_front();
    upload_whole what{all_.at(id), {}, ""};
    for (const auto& part : what.now.parts)
      what.files.push_back(file_of(part));
    if (what.files.empty())
      what.files.push_back(file_of(id));
    if (const auto it = hashes_.find(id); it != hashes_.end() && it->second->at == what.now.length)
      what.sha256 = sha256{it->second->hash}.finish();
    ++finishing_;
    const auto task = self_->spawn<caf::detached + caf::monitored>(
        upload_finisher, std::cref(with_), datasets_, stopping_);
    self_->request(task, caf::infinite, atom::commit_v, what)
        .then([this, id](const dataset& made) { sooner_or_later(id, [&] { finished(id, made); }); },
              [this, id](const caf::error& e) {
                sooner_or_later(id, [&] { failed(id, to_failure(e)); });
              });
  }
}

/// Where the row cannot be written, a later tick does all of it again.
void upload_store::sooner_or_later(const std::string& id, const std::function<void()>& what) {
  try {
    what();
  } catch (const std::exception& e) {
    log("uploads", "not_written_yet", {{"id", id}, {"why", e.what()}});
    again_.insert(id);
  }
}

void upload_store::task_over() {
  --finishing_;
  finish_next();
}

void upload_store::finished(const std::string& id, const dataset& made) {
  auto u = all_.at(id);
  u.state = "done";
  u.dataset_sha = made.sha256;
  JR_FAILPOINT("upload_made_a_dataset");
  keep(u);
  JR_FAILPOINT("upload_done");
  drop_bytes(u);
  const auto busy = parts_at_work();
  for (const auto& part : u.parts)
    if (const auto it = all_.find(part); it != all_.end() && !busy.contains(part)) {
      rows_.remove(part);
      drop_bytes(it->second);
      all_.erase(it);
    }
  log("uploads", "done", {{"id", id}, {"sha256", made.sha256}});
}

/// What may pass by itself is tried again: its bytes were acknowledged.
void upload_store::failed(const std::string& id, const failure& why) {
  log("uploads", "failed", {{"id", id}, {"why", why.what()}});
  if (stopping_->load())
    return;
  auto u = all_.at(id);
  u.problem = why.what();
  u.code = why.code();
  if (why.code() == errc::too_many || why.code() == errc::unavailable ||
      why.code() == errc::disk_full) {
    all_[id] = u;
    again_.insert(id);
    return;
  }
  if (why.code() == errc::internal)
    u.problem = "something went wrong inside the server; its log says what";
  u.state = "failed";
  keep(u);
  drop_bytes(u);
}

void upload_store::tick() {
  whole_.insert(whole_.end(), again_.begin(), again_.end());
  again_.clear();
  finish_next();
  const auto today = now();
  const auto busy = parts_at_work();
  for (auto it = all_.begin(); it != all_.end();) {
    auto& [id, u] = *it;
    const bool resting = !leased_.contains(id) && u.state != "processing" && !busy.contains(id);
    if (!resting || u.expires_at > today) {
      ++it;
    } else if (u.state == "receiving" || u.state == "complete") {
      auto tombstone = u;
      tombstone.state = "expired";
      keep(tombstone);
      drop_bytes(tombstone);
      ++it;
    } else {
      rows_.remove(id);
      it = all_.erase(it);
    }
  }
}

} // namespace jobrunner
