#include "core/config.hpp"

#include "core/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>

namespace jobrunner {

namespace {

namespace fs = std::filesystem;

std::string text(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

template <class T>
T number(const char* name, T otherwise, T low, T high) {
  const auto value = text(name, "");
  if (value.empty())
    return otherwise;
  T n{};
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), n);
  if (ec != std::errc{} || end != value.data() + value.size() || n < low || n > high)
    throw failure(errc::invalid, std::string{name} + "=" + value + " is not a whole number from " +
                                     std::to_string(low) + " to " + std::to_string(high));
  return n;
}

/// As others compare it: without "..", and without a slash at its end.
fs::path tidy(const fs::path& path) {
  const auto normal = path.lexically_normal();
  return normal.has_filename() || normal == normal.root_path() ? normal : normal.parent_path();
}

fs::path absolute_path(const char* name, const std::string& otherwise) {
  const fs::path value = text(name, otherwise.c_str());
  if (!value.is_absolute())
    throw failure(errc::invalid, std::string{name} + "=" + value.string() +
                                     " is not an absolute path (one that begins with /)");
  return tidy(value);
}

bool yes(const char* name) {
  const auto value = text(name, "0");
  if (value != "0" && value != "1")
    throw failure(errc::invalid, std::string{name} + "=" + value + " is neither 0 nor 1");
  return value == "1";
}

/// Takes a variable and overwrites it: /proc/<pid>/environ keeps the bytes that exec left.
std::string take(const char* name) {
  char* value = std::getenv(name);
  std::string copy = value ? value : "";
  if (value)
    explicit_bzero(value, copy.size());
  unsetenv(name);
  return copy;
}

std::string load_token() {
  const auto file = text("JR_AUTH_TOKEN_FILE", "");
  auto token = take("JR_AUTH_TOKEN");
  if (token.empty() && !file.empty()) {
    std::ifstream in{file};
    if (!std::getline(in, token) || token.empty())
      throw failure(errc::invalid, "JR_AUTH_TOKEN_FILE=" + file + " cannot be read or is empty");
  }
  return token.empty() ? "change-me" : token;
}

std::vector<fs::path> import_roots() {
  std::vector<fs::path> roots;
  std::string_view rest;
  const auto all = text("JR_IMPORT_ROOTS", "");
  rest = all;
  while (!rest.empty()) {
    const auto one = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (one.empty())
      continue;
    if (one.front() != '/')
      throw failure(errc::invalid, "JR_IMPORT_ROOTS names '" + std::string{one} +
                                       "', which is not an absolute path");
    roots.push_back(tidy(one));
  }
  return roots;
}

/// The bucket of JR_B2_*, if there is one; its keys leave the environment in any case.
void add_b2(std::vector<bucket>& to) {
  bucket b;
  b.key_id = take("JR_B2_KEY_ID");
  b.app_key = secret{take("JR_B2_APP_KEY")};
  b.name = b.remote = text("JR_B2_BUCKET", "");
  b.endpoint = tidy_endpoint(text("JR_B2_ENDPOINT", ""));
  b.region = text("JR_B2_REGION", region_of(b.endpoint).c_str());
  if (!b.name.empty() && !b.endpoint.empty())
    to.push_back(std::move(b));
}

s3_settings load_s3() {
  s3_settings s;
  add_b2(s.buckets);
  if (const auto file = text("JR_S3_BUCKETS_FILE", ""); !file.empty())
    for (auto& b : read_buckets(file)) {
      if (std::ranges::find(s.buckets, b.name, &bucket::name) != s.buckets.end())
        throw failure(errc::invalid,
                      "JR_S3_BUCKETS_FILE and JR_B2_BUCKET both have a bucket " + b.name);
      s.buckets.push_back(std::move(b));
    }
  s.any_endpoint = yes("JR_S3_ANY_ENDPOINT");
  s.transfers = number<unsigned>("JR_S3_TRANSFERS", 4, 1, 64);
  s.connections = number<unsigned>("JR_S3_CONNECTIONS", 4, 1, 32);
  s.retry = std::chrono::seconds{number<std::int64_t>("JR_S3_RETRY_S", 300, 1, 86400)};
  s.stall = std::chrono::seconds{number<std::int64_t>("JR_S3_STALL_S", 30, 1, 600)};
  s.longest = std::chrono::seconds{number<std::int64_t>("JR_S3_MAX_S", 86400, 1, 31536000)};
  return s;
}

webhook_settings load_webhooks() {
  webhook_settings w;
  w.secrets = secret{take("JR_WEBHOOK_SECRET")};
  w.senders = number<unsigned>("JR_WEBHOOK_SENDERS", 16, 1, 256);
  w.timeout = std::chrono::seconds{number<std::int64_t>("JR_WEBHOOK_TIMEOUT_S", 15, 1, 300)};
  w.give_up =
      std::chrono::seconds{number<std::int64_t>("JR_WEBHOOK_GIVE_UP_S", 259200, 1, 31536000)};
  return w;
}

} // namespace

config load_config() {
  constexpr auto no_limit = std::numeric_limits<std::uint64_t>::max();
  const auto here = fs::read_symlink("/proc/self/exe").parent_path();
  config c;
  c.root = absolute_path("JR_ROOT", "/opt/jobrunner");
  c.bind_address = text("JR_BIND", "0.0.0.0");
  c.port = number<std::uint16_t>("JR_PORT", 8080, 0, 65535);
  c.io_threads = number<unsigned>("JR_IO_THREADS", 2, 1, 64);
  c.token = secret{load_token()};
  c.default_token = c.token.reveal() == "change-me";
  c.server_user = text("JR_SERVER_USER", "jobrunner");
  c.job_user = text("JR_JOB_USER", "runner");
  c.extract_uid = number<std::uint32_t>("JR_EXTRACT_UID", 61650, 1, 4294967293);
  c.share_dir = absolute_path("JR_SHARE_DIR", (here.parent_path() / "share/jobrunner").string());
  c.commands_dir = absolute_path("JR_COMMANDS_DIR", (c.share_dir / "commands").string());
  c.programs_dir = here;
  c.slurm_conf = absolute_path("SLURM_CONF", (c.root / "slurm/slurm.conf").string());
  c.slurm_bin = absolute_path("JR_SLURM_BIN", "/usr/bin");
  c.job_path = text("JR_JOB_PATH", "/usr/local/nvidia/bin:/usr/local/cuda/bin:/usr/local/sbin:"
                                   "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  c.b2_enabled = yes("JR_B2_ENABLE");
  c.b2_mount = absolute_path("JR_B2_MOUNT", "/mnt/b2");
  c.import_roots = import_roots();
  c.s3 = load_s3();
  c.webhooks = load_webhooks();
  c.outside = address_guard{text("JR_ALLOWED_PRIVATE_HOSTS", "")};
  c.max_upload_bytes = number<std::uint64_t>("JR_MAX_UPLOAD_BYTES", 1ULL << 42U, 1, no_limit);
  c.min_free_bytes = number<std::uint64_t>("JR_MIN_FREE_BYTES", 256ULL << 20U, 0, no_limit);
  c.max_extracted_bytes = number<std::uint64_t>("JR_MAX_EXTRACTED_BYTES", 1ULL << 42U, 1, no_limit);
  c.max_extracted_files = number<std::uint64_t>("JR_MAX_EXTRACTED_FILES", 1000000, 1, no_limit);
  c.max_archive_ratio = number<std::uint64_t>("JR_MAX_ARCHIVE_RATIO", 250, 1, 1000000);
  c.max_archive_path = number<std::uint64_t>("JR_MAX_ARCHIVE_PATH", 1024, 16, 1024);
  c.max_extract_seconds = number<std::uint64_t>("JR_MAX_EXTRACT_S", 21600, 1, 604800);
  c.max_dataset_bytes = number<std::uint64_t>("JR_MAX_DATASET_BYTES", 0, 0, no_limit);
  c.scrub_every =
      std::chrono::seconds{number<std::int64_t>("JR_SCRUB_EVERY_S", 604800, 0, 31536000)};
  c.scrub_bytes_per_second =
      number<std::uint64_t>("JR_SCRUB_BYTES_PER_S", 20U << 20U, 1024, no_limit);
  c.upload_expires =
      std::chrono::seconds{number<std::int64_t>("JR_UPLOAD_EXPIRES_S", 86400, 1, 31536000)};
  c.max_uploads = number<unsigned>("JR_MAX_UPLOADS", 16, 1, 1024);
  c.max_array_tasks = number<unsigned>("JR_MAX_ARRAY_TASKS", 1000, 1, 10000);
  c.max_connections = number<unsigned>("JR_MAX_CONNECTIONS", 4096, 8, 1000000);
  c.max_connections_per_address = number<unsigned>(
      "JR_MAX_CONNECTIONS_PER_ADDRESS", c.max_connections / 4 * 3, 1, 1000000); // room for others
  c.max_wrong_tokens = number<unsigned>("JR_MAX_WRONG_TOKENS", 20, 1, 1000000);
  c.poll_interval =
      std::chrono::milliseconds{number<std::int64_t>("JR_POLL_INTERVAL_MS", 1000, 20, 60000)};
  c.slurm_timeout = std::chrono::seconds{number<std::int64_t>("JR_SLURM_TIMEOUT_S", 15, 1, 120)};
  c.lost_after = std::chrono::seconds{number<std::int64_t>("JR_LOST_AFTER_S", 30, 1, 86400)};
  return c;
}

} // namespace jobrunner
