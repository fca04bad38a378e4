#include "webhook/secrets.hpp"

#include "core/digest.hpp"
#include "core/durable.hpp"
#include "core/error.hpp"
#include "core/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string>
#include <sys/random.h>

namespace jobrunner::webhook {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "whsec_", white = " \t\r\n";
constexpr std::size_t shortest = 24, longest = 64; // bytes, as the standard has it
constexpr std::size_t most_text = 4096;

std::string make_secret() {
  std::array<char, 32> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw errno_failure("getrandom");
  return std::string{prefix} + base64({bytes.data(), bytes.size()});
}

/// "" if there is no such file.
std::string read_file(const fs::path& file) {
  const unique_fd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!fd && errno == ENOENT)
    return {};
  std::string text(most_text, '\0');
  const auto n = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (n < 0)
    throw errno_failure("read it");
  text.resize(static_cast<std::size_t>(n));
  return text;
}

/// Whole or not at all, and readable for nobody else at any moment.
void write_file(const fs::path& file, const std::string& text) {
  const fs::path unfinished = file.string() + ".new";
  const unique_fd fd{
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw errno_failure("write it");
  sync(fd.get(), file.filename().string());
  fs::rename(unfinished, file);
  sync_folder(file.parent_path());
}

} // namespace

secrets parse_secrets(std::string_view text) {
  secrets all;
  for (;;) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(white)));
    if (text.empty())
      break;
    const auto word = text.substr(0, text.find_first_of(white));
    text.remove_prefix(word.size());
    const auto key =
        word.starts_with(prefix) ? base64_decode(word.substr(prefix.size())) : std::nullopt;
    if (!key || key->size() < shortest || key->size() > longest)
      throw failure(errc::invalid, // without the value: it may be a secret with one wrong letter
                    "a secret of webhooks must be whsec_ and base64 of 24 to 64 bytes, as "
                    "'echo whsec_$(openssl rand -base64 32)' makes it");
    if (all.keys.empty())
      all.shown = secret{std::string{word}};
    all.keys.emplace_back(*key);
  }
  if (all.keys.empty())
    throw failure(errc::invalid, "there is no secret of webhooks in it");
  return all;
}

secrets load_secrets(const config& settings) {
  const auto file = settings.root / "webhook_secret";
  const auto& given = settings.webhooks.secrets.reveal();
  try {
    if (!given.empty())
      return parse_secrets(given);
    auto text = read_file(file);
    if (text.empty()) {
      text = make_secret() + "\n";
      write_file(file, text);
    }
    return parse_secrets(text);
  } catch (const failure& f) {
    throw failure(f.code(),
                  (given.empty() ? file.string() : "JR_WEBHOOK_SECRET") + ": " + f.what());
  }
}

} // namespace jobrunner::webhook
