#include "actors/transfer_desk.hpp"

#include "core/curl.hpp"
#include "core/error.hpp"
#include "core/failpoint.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/uuid.hpp"
#include "s3/key_path.hpp"
#include "store/schema.hpp"

#include <algorithm>
#include <sys/stat.h>
#include <vector>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_queued = 1000, most_watching = 10000;

// Progress is numbered and not written down: a few changes a second, so that no server lives for so
// many. 2^53, what JSON's readers count to without error, has room for nine million starts.
constexpr std::int64_t most_unwritten_changes = 1'000'000'000;

/// A place of the client's own.
void check_endpoint(const config& settings, const transfer& wanted) {
  if (!settings.s3.any_endpoint)
    throw failure(errc::invalid, "endpoint is given, but JR_S3_ANY_ENDPOINT=0 allows the buckets "
                                 "that are set alone");
  if (wanted.bucket.empty())
    throw failure(errc::invalid, "an import from an endpoint needs the name of a bucket there");
  try {
    curl::check_url(wanted.endpoint, settings.outside);
  } catch (const failure& f) {
    throw failure(f.code(), "endpoint is " + shown(wanted.endpoint) + ": " + f.what());
  }
  s3::key_path(wanted.bucket);
}

} // namespace

fs::path transfer_folder(const config& settings, const std::string& id) {
  return settings.root / "datasets/.transfers" / id;
}

transfer_desk::transfer_desk(const services& with, starter start)
    : with_(with),
      start_(std::move(start)),
      db_(store::open(with.settings.root)),
      rows_(db_) {
  const auto top = transfer_folder(with.settings, "");
  fs::create_directories(top);
  chmod(top.c_str(), 0700);
  take_up();
  sweep();
  start_next();
}

transfer_desk::~transfer_desk() {
  for (const auto& [id, r] : running_)
    r.orders->stop.request_stop();
}

/// What was open goes on, with numbers above all that the server before can have told.
void transfer_desk::take_up() {
  sqlite::transaction all{db_};
  for (auto& t : rows_.open()) {
    t.state = "QUEUED";
    t.seq += most_unwritten_changes;
    rows_.update(t);
    queue_.push_back(t.id);
    open_.emplace(t.id, std::move(t));
  }
  all.commit();
}

/// Removes what transfers left that have ended.
void transfer_desk::sweep() {
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator{transfer_folder(with_.settings, "")})
    if (!open_.contains(entry.path().filename().string()))
      left.push_back(entry.path());
  std::error_code ignored;
  for (const auto& folder : left)
    fs::remove_all(folder, ignored);
}

/// Whether it can be meant, as far as can be said without asking the bucket.
void transfer_desk::check(transfer& wanted) const {
  const auto& buckets = with_.settings.s3.buckets;
  if (wanted.endpoint.empty()) {
    if (wanted.bucket.empty() && !buckets.empty())
      wanted.bucket = buckets.front().name;
    if (wanted.bucket.empty())
      throw failure(errc::invalid,
                    "no bucket is set; JR_B2_BUCKET or JR_S3_BUCKETS_FILE names some");
    if (std::ranges::find(buckets, wanted.bucket, &bucket::name) == buckets.end())
      throw failure(errc::not_found,
                    "bucket is " + shown(wanted.bucket) + ", which is none of those that are set");
  } else {
    check_endpoint(with_.settings, wanted);
  }
  if (wanted.way == direction::out) {
    s3::export_prefix(wanted.prefix);
    return;
  }
  if (wanted.key.empty() == wanted.prefix.empty())
    throw failure(errc::invalid,
                  "an import needs either key, of one object, or prefix, of several");
  if (!wanted.key.empty())
    s3::key_name(wanted.key);
  else
    s3::key_path(wanted.prefix.ends_with('/') ? wanted.prefix.substr(0, wanted.prefix.size() - 1)
                                              : wanted.prefix);
}

transfer transfer_desk::submit(transfer wanted) {
  check(wanted);
  if (queue_.size() >= most_queued)
    throw failure(errc::too_many, std::to_string(queue_.size()) +
                                      " imports and exports wait already; try again later");
  wanted.id = make_uuid();
  wanted.created_at = now();
  rows_.insert(wanted);
  JR_FAILPOINT("transfer_row_written");
  log("transfers", "accepted",
      {{"id", wanted.id},
       {"way", wanted.way == direction::import ? "import" : "export"},
       {"bucket", wanted.bucket},
       {"key", wanted.key},
       {"prefix", wanted.prefix}});
  auto& t = open_.emplace(wanted.id, wanted).first->second;
  if (const auto known = with_.published.datasets.find(t.sha256); known && !t.sha256.empty()) {
    t.dataset_sha = known->sha256;
    finish(t, "COMPLETED");
    return get(wanted.id);
  }
  queue_.push_back(wanted.id);
  start_next();
  return get(wanted.id);
}

void transfer_desk::start_next() {
  while (!queue_.empty() && running_.size() < with_.settings.s3.transfers) {
    auto& t = open_.at(queue_.front());
    queue_.pop_front();
    t.state = "RUNNING";
    if (!t.started_at)
      t.started_at = now();
    change(t);
    const auto orders = std::make_shared<transfer_orders>();
    running_[t.id] = {orders, start_(t, orders)};
  }
}

/// Writes it down, with the next sequence number, and tells those who wait.
void transfer_desk::change(transfer& t) {
  ++t.seq;
  rows_.update(t);
  waiters_.settle(t);
}

void transfer_desk::finish(transfer& t, const std::string& state) {
  t.state = state;
  t.done = true;
  t.ended_at = now();
  JR_FAILPOINT("transfer_over");
  change(t);
  JR_FAILPOINT("transfer_end_written");
  log("transfers", "ended",
      {{"id", t.id}, {"state", state}, {"code", t.error_code}, {"why", t.error}});
  open_.erase(t.id); // `t` is gone
}

transfer transfer_desk::get(const std::string& id) {
  if (const auto found = open_.find(id); found != open_.end())
    return found->second;
  auto row = rows_.find(id);
  if (!row)
    throw failure(errc::not_found, "no import or export has the id " + shown(id));
  return std::move(*row);
}

transfer transfer_desk::cancel(const std::string& id) {
  auto t = get(id);
  if (t.done)
    return t;
  std::erase(queue_, id);
  if (const auto found = running_.find(id); found != running_.end()) {
    found->second.orders->cancelled.store(true);
    found->second.orders->stop.request_stop();
  } else {
    std::error_code ignored;
    fs::remove_all(transfer_folder(with_.settings, id), ignored);
  }
  finish(open_.at(id), "CANCELLED");
  return get(id);
}

transfer_list transfer_desk::list(const transfer_query& q) {
  auto page = rows_.list(q.way, q.cursor, q.limit);
  for (auto& t : page.items) // rows know nothing of progress
    if (const auto found = open_.find(t.id); found != open_.end())
      t = found->second;
  return {std::move(page.items), page.next};
}

void transfer_desk::report(const transfer_report& r) {
  const auto found = open_.find(r.id);
  if (found == open_.end())
    return; // cancelled meanwhile
  auto& t = found->second;
  t.bytes_done = r.bytes_done;
  t.files_done = r.files_done;
  t.bytes_total = r.bytes_total;
  t.files_total = r.files_total;
  if (r.state.empty()) { // progress is worth no fsync
    ++t.seq;
    waiters_.settle(t);
    return;
  }
  t.dataset_sha = r.dataset_sha;
  t.error_code = r.error_code;
  t.error = r.error;
  finish(t, r.state);
}

bool transfer_desk::ended(const caf::actor_addr& task) {
  const auto found =
      std::ranges::find_if(running_, [&](const auto& r) { return r.second.task == task; });
  if (found == running_.end())
    return false;
  const auto id = found->first;
  running_.erase(found);
  if (const auto left = open_.find(id); left != open_.end()) {
    left->second.error_code = to_string(errc::internal);
    left->second.error = "it ended without saying why; the server's log may";
    finish(left->second, "FAILED");
  }
  std::error_code ignored;
  fs::remove_all(transfer_folder(with_.settings, id), ignored);
  start_next();
  return true;
}

bool transfer_desk::satisfied(const transfer_wait& w) {
  return jobrunner::satisfied(w, get(w.id));
}

std::uint64_t transfer_desk::park(const transfer_wait& what, const caf::actor_addr& asker,
                                  transfer_waiters::promise reply) {
  if (waiters_.size() >= most_watching)
    throw failure(errc::too_many, std::to_string(waiters_.size()) +
                                      " clients wait for transfers already; try again later");
  return waiters_.add(what, asker, std::move(reply));
}

void transfer_desk::expire(std::uint64_t key) {
  if (const auto id = waiters_.transfer_of(key))
    waiters_.expire(key, get(*id));
}

} // namespace jobrunner
