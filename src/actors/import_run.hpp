// One import, done: a look at the bucket, then its bytes into a staging folder. Blocks; knows no
// actors.
#pragma once

#include "actors/api.hpp"
#include "actors/services.hpp"
#include "actors/transfer_desk.hpp"
#include "s3/fetch.hpp"
#include "s3/landing.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jobrunner {

/// The bucket of a transfer, with its keys. Throws failure{not_found} if it is no longer set.
s3::place place_of(const config&, const transfer&);
s3::pace pace_of(const config&);

class import_run {
public:
  using progress = std::function<void(transfer_report)>;

  /// `wanted` is checked already. `tell` hears of every step, on the thread that calls.
  import_run(const services& with, transfer wanted, std::shared_ptr<transfer_orders> orders,
             progress tell);

  /// Looks at the bucket. The bytes that are still to come. Throws failure: not_found, too_large,
  /// unprocessable (a key), s3::stopped and what s3::client throws, as receive() does too.
  std::uint64_t plan();

  /// All of it, durable in the staging folder. Also throws disk_full, invalid (another SHA-256) and
  /// conflict: the bucket has changed, plan() again.
  arrival receive(const std::string& staging);

private:
  void plan_object();
  void plan_prefix();
  void check_limits() const;
  void check_deadline() const;
  arrival receive_archive(const std::string& staging);
  arrival receive_files(const std::string& staging);
  void take(const s3::take& into, std::size_t first, std::uint64_t offset);
  void check_sha256(const std::string& found) const;
  const services& with_;
  transfer wanted_;
  std::shared_ptr<transfer_orders> orders_;
  std::stop_token stop_;
  progress tell_;
  s3::place from_;
  std::vector<s3::object> objects_;
  std::vector<std::string> paths_; // of the objects, below the dataset's folder
  bool archive_ = false;
  std::optional<s3::landing> landing_;
  transfer_report so_far_;
  std::chrono::steady_clock::time_point deadline_;
};

} // namespace jobrunner
