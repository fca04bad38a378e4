// What a job's files are called: by its manifest.json, or by their names where there is none.
#pragma once

#include "core/file_walk.hpp"
#include "core/types.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace jobrunner {

struct named_outputs {
  std::string experiment_id;
  std::vector<output> outputs; // job_id and created_at are the caller's to fill in
  problem_list problems;       // what is wrong with the manifest
};

/// The outputs that `manifest` names, as far as they are among `files`; ids made unique.
/// A manifest that cannot be used is as good as none, with the problem said first. Pure.
named_outputs by_manifest(std::string_view manifest, const std::vector<found_file>& files,
                          const std::string& experiment_id);

/// Every file, with its name without the extension as its id, made unique. Pure.
named_outputs by_name(const std::vector<found_file>& files, const std::string& experiment_id);

/// The experimentId among a job's parameters, or nothing.
std::string experiment_in(const boost::json::object& params);

/// The experiment of a job without a manifest: the one that was asked for, params' experimentId, or
/// "job-<id>".
std::string default_experiment(const job&);

} // namespace jobrunner
