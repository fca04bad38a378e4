// Command templates: what may be run, one file config/commands/<key>.json each.
//
//     {"description": "...",
//      "params": {"lr": {"type": "number", "default": 0.1, "minimum": 0, "description": "..."}},
//      "additional_params": false,
//      "run": ["python3", "./train.py", "--lr", "{lr}"]}
//
// Types: string, number, integer, boolean, path (inside the dataset), strings (a list), object,
// any. An item of "run" that is "{name}" becomes that parameter's value as one argument,
// "{name...}" (of type strings) as many; {DATASET_DIR}, {RESULT_DIR}, {JR_PARAMS} likewise. An item
// that starts with "./" is a file beside the template. Nothing is ever spliced into text or given
// to a shell.
#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::slurm {

struct command {
  std::string key;
  boost::json::object
      params; // name -> {type, default, required, minimum, maximum, enum, description}
  bool additional_params = false; // others are passed on in JR_PARAMS untouched
  std::vector<std::string> run;   // "./file" is absolute already
  std::string description;
};

/// The folders a job gets; all absolute.
struct job_places {
  std::string dataset_dir, result_dir;
};

/// Reads every template of `folder`; a bad file is left out and logged with what is wrong in it.
/// Throws failure{invalid} if there is no such folder.
std::map<std::string, command> load_commands(const std::filesystem::path& folder);

/// Checks `params` against the template and renders argv. `params_text` is what JR_PARAMS will
/// hold. Throws failure{invalid} that names the parameter, its value and what would be right.
std::vector<std::string> render(const command&, const boost::json::object& params,
                                std::string_view params_text, const job_places&);

/// As GET /commands shows it: key, description, params, additional_params.
boost::json::object describe(const command&);

} // namespace jobrunner::slurm
