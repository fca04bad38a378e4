#include "slurm/commands.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "slurm/parameters.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>

namespace jobrunner::slurm {

namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

// One string of the environment may have 128 KiB (MAX_ARG_STRLEN); beyond it no program starts.
constexpr std::size_t longest_params = 100'000;

constexpr std::array<std::string_view, 3> places{"DATASET_DIR", "RESULT_DIR", "JR_PARAMS"};

failure bad(const std::string& why) {
  return {errc::invalid, why};
}

/// An item of "run" that is "{name}" or "{name...}".
struct placeholder {
  std::string name;
  bool many = false;
};

std::optional<placeholder> placeholder_in(std::string_view item) {
  if (item.size() < 3 || item.front() != '{' || item.back() != '}' ||
      item.find_first_of("{}\":, ", 1) != item.size() - 1) // a JSON text is no placeholder
    return std::nullopt;
  item = item.substr(1, item.size() - 2);
  const bool many = item.ends_with("...");
  return placeholder{std::string{item.substr(0, item.size() - (many ? 3 : 0))}, many};
}

bool is_place(std::string_view name) {
  return std::ranges::find(places, name) != places.end();
}

/// Refuses what would fail or surprise only when a job is submitted.
void check_placeholder(const command& c, const placeholder& p) {
  const auto* declared = c.params.if_contains(p.name);
  if (is_place(p.name) && !p.many)
    return;
  if (!declared)
    throw bad("run uses {" + p.name + "}, which is no parameter");
  const auto& d = declared->as_object();
  const auto* required = d.if_contains("required");
  if (!d.contains("default") && !(required && required->as_bool()))
    throw bad("run uses {" + p.name + "}, which has no default and is not required");
  if (p.many && d.at("type").as_string() != "strings")
    throw bad("run uses {" + p.name + "...}, which is not of type strings");
}

void check_no_splice(const command& c, std::string_view item) {
  const auto refuse = [&](std::string_view name) {
    for (const auto* end : {"}", "...}"})
      if (item.find("{" + std::string{name} + end) != std::string_view::npos)
        throw bad("run has " + shown(item) + ": {" + std::string{name} +
                  "} must be an item of its own");
  };
  for (const auto& [name, declared] : c.params)
    refuse(name);
  for (const auto name : places)
    refuse(name);
}

std::string checked_item(const command& c, const json::value& v, const fs::path& folder) {
  if (!v.is_string() || std::string_view{v.get_string()}.find('\0') != std::string_view::npos)
    throw bad("run must be a list of strings");
  std::string item{v.get_string()};
  if (const auto p = placeholder_in(item)) {
    check_placeholder(c, *p);
    return item;
  }
  check_no_splice(c, item);
  if (!item.starts_with("./"))
    return item;
  const auto file = fs::absolute(folder / item).lexically_normal();
  if (!fs::is_regular_file(file))
    throw bad("run names " + shown(item) + ", but there is no such file beside the template");
  return file.string();
}

command read_template(const fs::path& file) {
  std::ifstream stream{file, std::ios::binary};
  std::stringstream text;
  if (!stream || !(text << stream.rdbuf()))
    throw bad("cannot be read, or is empty");
  const auto whole = json::parse(text.str());
  const auto* o = whole.if_object();
  if (!o)
    throw bad("must be a JSON object");
  command c;
  c.key = file.stem().string();
  for (const auto& [key, v] : *o) {
    if (key == "description" && v.is_string())
      c.description = v.get_string();
    else if (key == "additional_params" && v.is_bool())
      c.additional_params = v.get_bool();
    else if (key == "params" && v.is_object())
      c.params = v.get_object();
    else if (key != "run" || !v.is_array() || v.get_array().empty())
      throw bad("has an unknown key or a value of a wrong type: " + shown(key));
  }
  for (const auto& [name, declared] : c.params) {
    check_declaration(name, declared);
    if (is_place(name))
      throw bad("no parameter can be called " + std::string{name});
  }
  const auto* run = o->if_contains("run");
  if (!run)
    throw bad("needs \"run\", a list of strings");
  for (const auto& v : run->get_array())
    c.run.push_back(checked_item(c, v, file.parent_path()));
  if (c.run.front().empty() || placeholder_in(c.run.front()))
    throw bad("the first item of run must name the program"); // a client must not choose it
  return c;
}

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

void check_params(const command& c, const json::object& params, std::string_view params_text) {
  if (params_text.size() > longest_params)
    throw bad("params: " + std::to_string(params_text.size()) + " bytes are more than the " +
              std::to_string(longest_params) + " that a job can get; put more into the dataset");
  if (params_text.find('\0') != std::string_view::npos)
    throw bad("params: the text contains a NUL byte");
  for (const auto& [name, v] : params) {
    if (const auto* declared = c.params.if_contains(name))
      check_value(name, declared->as_object(), v);
    else if (!c.additional_params)
      throw bad("params: the command " + c.key + " has no parameter " + shown(name));
  }
  for (const auto& [name, declared] : c.params) {
    const auto* required = declared.as_object().if_contains("required");
    if (required && required->as_bool() && !params.contains(name))
      throw bad("params: \"" + std::string{name} + "\" is missing; the command " + c.key +
                " needs it");
  }
}

} // namespace

std::map<std::string, command> load_commands(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator files{folder, error};
  if (error)
    throw bad("the folder of the command templates, " + folder.string() +
              ", cannot be read: " + error.message());
  std::map<std::string, command> all;
  for (const auto& entry : files) {
    if (entry.path().extension() != ".json")
      continue;
    try {
      if (!is_key(entry.path().stem().string()))
        throw bad("its name must be of letters, digits, '_' and '-'");
      auto c = read_template(entry.path());
      all.emplace(c.key, std::move(c));
    } catch (const std::exception& e) {
      log("commands", "template_left_out", {{"file", entry.path().string()}, {"why", e.what()}});
    }
  }
  return all;
}

std::vector<std::string> render(const command& c, const json::object& params,
                                std::string_view params_text, const job_places& where) {
  check_params(c, params, params_text);
  std::vector<std::string> argv;
  for (const auto& item : c.run) {
    const auto p = placeholder_in(item);
    if (!p) {
      argv.push_back(item);
    } else if (is_place(p->name)) {
      argv.emplace_back(p->name == "DATASET_DIR"  ? where.dataset_dir
                        : p->name == "RESULT_DIR" ? where.result_dir
                                                  : std::string{params_text});
    } else {
      const auto& declared = c.params.at(p->name).as_object();
      const auto* given = params.if_contains(p->name);
      const auto& v = given ? *given : declared.at("default");
      if (!p->many)
        argv.push_back(as_argument(declared, v));
      else
        std::ranges::move(as_arguments(v), std::back_inserter(argv));
    }
  }
  return argv;
}

json::object describe(const command& c) {
  return {{"key", c.key},
          {"description", c.description},
          {"params", c.params},
          {"additional_params", c.additional_params}};
}

} // namespace jobrunner::slurm
