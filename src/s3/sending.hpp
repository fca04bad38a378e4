// Files of a folder on their way into a bucket: small ones whole and side by side, large ones in
// parts, every one checked, and after a restart gone on with. Blocks.
#pragma once

#include "s3/fetch.hpp"
#include "s3/journal.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace jobrunner::s3 {

struct to_send {
  std::string path; // below the folder; the key is the prefix and this
  std::uint64_t size = 0;
};

/// Bytes of one part of a file of that size: at least `least`, and as many as it takes to stay
/// below S3's 10,000 parts.
std::uint64_t part_bytes(std::uint64_t size, std::uint64_t least);

class sending {
public:
  struct task {
    const place& to;
    std::string prefix;           // of the keys: "" or ending in '/'
    std::filesystem::path folder; // of the files, of which nothing is believed
    std::vector<to_send> files;
    std::filesystem::path journal;
    pace how{};
    std::uint64_t part = 16U << 20U; // bytes; what is larger goes in parts
  };
  /// Told of every file or part that has arrived, from any thread: bytes and files in all.
  using progress = std::function<void(std::uint64_t bytes, std::uint64_t files)>;

  explicit sending(task what, progress tell);

  /// Throws failure: unprocessable (a file has gone or is another one), stopped, and what client
  /// throws. An upload that did not end stays open for the next run, unless aborted.
  void run(const std::stop_token& stop);

  /// Ends uploads that are open; best effort.
  void abort();

private:
  struct upload {
    std::string id;
    std::uint64_t part = 0;
    std::string version; // of the file
    std::map<unsigned, std::string> etags;
  };
  void read_journal();
  void note(const boost::json::object& line);
  void arrived(std::uint64_t bytes, std::uint64_t files);
  upload begin_upload(const to_send&, const std::string& version, const std::stop_token&);
  void abort_unknown(const std::string& path, const std::string& but);
  void send_small(client&, const to_send&, const std::stop_token&);
  void send_large(const to_send&, const std::stop_token&);
  void send_parts(const to_send&, upload&, const std::stop_token&);
  void finish_upload(const to_send&, const upload&, const std::stop_token&);
  task what_;
  progress tell_;
  std::mutex guard_; // of the journal and the counts
  journal journal_;
  std::set<std::string> done_;
  std::map<std::string, upload> open_;
  std::map<std::string, timestamp> asked_; // for an upload, with no answer noted
  std::uint64_t bytes_ = 0, files_ = 0;
};

} // namespace jobrunner::s3
