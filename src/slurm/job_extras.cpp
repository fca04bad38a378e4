#include "slurm/job_extras.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <optional>
#include <utility>

namespace jobrunner::slurm {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_name = 256;
constexpr std::size_t most_after = 100;
constexpr std::size_t most_labels = 32, longest_label = 64, longest_label_value = 256;
constexpr std::size_t longest_variable = 100'000; // one string of the environment: MAX_ARG_STRLEN
constexpr std::int64_t longest_warning_s = 65535; // sbatch(1), --signal

[[noreturn]] void refuse(const std::string& why) {
  throw failure{errc::invalid, why};
}

json::object parse_object(const std::string& field, const std::string& text) {
  json::error_code ec;
  auto value = json::parse(text, ec); // at most 32 deep
  if (ec)
    refuse(field + " is " + shown(text) + ", which is not JSON (" + ec.message() + ")");
  if (!value.is_object())
    refuse(field + " is " + shown(text) + R"(, but must be a JSON object like {"name": "value"})");
  return std::move(value.as_object());
}

void check_strings(const std::string& field, const json::object& all) {
  for (const auto& [name, value] : all)
    if (!value.is_string())
      refuse(field + ": the value of " + shown(name) + " must be a string, in quotes");
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

void check_labels(const json::object& labels) {
  check_strings("labels", labels);
  if (labels.size() > most_labels)
    refuse("labels has " + std::to_string(labels.size()) + " of them; at most " +
           std::to_string(most_labels) + " are kept");
  for (const auto& [key, value] : labels) {
    const std::string_view name{key};
    if (name.empty() || name.size() > longest_label || has_control(name) ||
        name.find(':') != std::string_view::npos)
      refuse("labels: " + shown(name) + " is no name of a label: it must have 1 to " +
             std::to_string(longest_label) + " bytes, no ':' and no control characters");
    if (name == "status") // exactly one key of a job's JSON is called so
      refuse("labels: no label can be called \"status\"");
    if (value.get_string().size() > longest_label_value)
      refuse("labels: the value of " + shown(name) + " is longer than " +
             std::to_string(longest_label_value) + " bytes");
  }
}

// Set by the wrapper or by Slurm, or obeyed by the loader before the command is.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 13> names{"PATH",
                                                   "HOME",
                                                   "USER",
                                                   "LOGNAME",
                                                   "LANG",
                                                   "TMPDIR",
                                                   "DATASET_DIR",
                                                   "RESULT_DIR",
                                                   "PYTHONUNBUFFERED",
                                                   "CUDA_VISIBLE_DEVICES",
                                                   "GPU_DEVICE_ORDINAL",
                                                   "ROCR_VISIBLE_DEVICES",
                                                   "ZE_AFFINITY_MASK"};
  constexpr std::array<std::string_view, 6> families{"JR_",   "SLURM_", "SBATCH_",
                                                     "SRUN_", "LD_",    "MUNGE_"};
  return std::ranges::find(names, name) != names.end() ||
         std::ranges::any_of(families, [&](auto f) { return name.starts_with(f); });
}

bool is_variable(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void check_env(const json::object& env) {
  check_strings("env", env);
  for (const auto& [key, value] : env) {
    const std::string_view name{key}, text{value.get_string()};
    if (!is_variable(name))
      refuse("env: " + shown(name) +
             " is no name of a variable: letters, digits and '_', no digit first");
    if (is_reserved(name))
      refuse("env: " + shown(name) + " cannot be set: it is the server's, Slurm's or the loader's");
    if (text.find('\0') != std::string_view::npos)
      refuse("env: the value of " + shown(name) + " holds a zero byte");
    if (name.size() + text.size() > longest_variable)
      refuse("env: " + shown(name) + " is longer than " + std::to_string(longest_variable) +
             " bytes");
  }
}

void check_text(const std::string& field, const std::string& text) {
  if (text.size() > longest_name)
    refuse(field + " is longer than " + std::to_string(longest_name) + " bytes: " + shown(text));
}

using named = std::pair<std::string_view, int>;
// What the wrapper holds back for itself and passes on (job_process.cpp).
constexpr std::array signals{named{"TERM", SIGTERM}, named{"INT", SIGINT},   named{"HUP", SIGHUP},
                             named{"QUIT", SIGQUIT}, named{"CONT", SIGCONT}, named{"USR1", SIGUSR1},
                             named{"USR2", SIGUSR2}, named{"KILL", SIGKILL}};

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t n = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, n);
  return ec == std::errc{} && at == end && !text.empty() && n >= 0 ? std::optional{n}
                                                                   : std::nullopt;
}

/// "USR1@60", from "sigusr1@60", "10@60", or without a time: a minute before the end.
std::string checked_warning(const std::string& text) {
  const auto at = std::min(text.find('@'), text.size());
  const auto name = signal_name(std::string_view{text}.substr(0, at), "signal");
  const auto seconds = at == text.size() ? 60 : number(std::string_view{text}.substr(at + 1));
  if (!seconds || *seconds < 1 || *seconds > longest_warning_s)
    refuse("signal is " + shown(text) + "; behind the @ go seconds, from 1 to " +
           std::to_string(longest_warning_s) + ", as in USR1@60");
  // Slurm sends TERM to all of a job to end it; a warning could not be told from that.
  if (name == "KILL" || name == "TERM" || name == "CONT")
    refuse("signal is " + shown(text) + "; a warning may be INT, HUP, QUIT, USR1 or USR2");
  return name + "@" + std::to_string(*seconds);
}

} // namespace

std::string signal_name(std::string_view text, const std::string& field) {
  std::string name;
  for (const char c : text)
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name.starts_with("SIG"))
    name.erase(0, 3);
  const auto wanted = number(name);
  for (const auto& [known, value] : signals)
    if (known == name || wanted == value)
      return std::string{known};
  refuse(field + " is " + shown(text) +
         "; it must be TERM, INT, HUP, QUIT, CONT, USR1, USR2 or KILL");
}

job_extras checked(job_extras e) {
  check_text("name", e.name);
  check_text("experiment_id", e.experiment_id);
  const auto labels = parse_object("labels", e.labels_json), env = parse_object("env", e.env_json);
  check_labels(labels);
  check_env(env);
  e.labels_json = json::serialize(labels);
  e.env_json = json::serialize(env);
  if (!e.signal.empty())
    e.signal = checked_warning(e.signal);
  std::ranges::sort(e.after);
  e.after.erase(std::unique(e.after.begin(), e.after.end()), e.after.end());
  if (e.after.size() > most_after)
    refuse("after names " + std::to_string(e.after.size()) + " jobs; at most " +
           std::to_string(most_after) + " can be waited for");
  return e;
}

std::vector<std::string> variables_of(const job_extras& e) {
  std::vector<std::string> all;
  const auto env = json::parse(e.env_json);
  for (const auto& [name, value] : env.as_object())
    all.push_back(std::string{name} + "=" + std::string{value.get_string()});
  return all;
}

} // namespace jobrunner::slurm
