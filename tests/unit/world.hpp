// What the actors share, in a temporary root: an empty database, one command, one dataset. Slurm's
// commands do not exist there.
#pragma once

#include "actors/services.hpp"
#include "places.hpp"
#include "store/datasets.hpp"
#include "store/schema.hpp"
#include "temp_folder.hpp"

#include <sys/stat.h>

namespace jobrunner {

struct world {
  temp_folder root;
  config settings;
  launcher extractors = start_launcher(), job_user = start_launcher();
  slurm::client slurm{job_user, "/nonexistent", "/nonexistent/jobrunner-job",
                      std::chrono::seconds{1}};
  boards published;
  services with{settings, extractors, slurm, published, getgid()};
  const std::string sha = std::string(64, 'a');

  world() {
    settings.root = root.path();
    settings.commands_dir = root / "commands";
    settings.programs_dir = programs_folder();
    settings.b2_mount = root / "b2";
    settings.max_array_tasks = 20;
    settings.max_uploads = 2;
    settings.max_extracted_bytes = 1 << 30;
    settings.max_extracted_files = 1000;
    root.put(
        "commands/echo.json",
        R"({"description": "", "additional_params": true, "params": {}, "run": ["/bin/true"]})");
    for (const auto* folder : {"datasets/.staging", "jobs", "results", "logs"})
      std::filesystem::create_directories(root / folder);
    store::migrate(root.path());
  }

  /// Slurm answers, and has a node.
  void slurm_is_up() {
    slurm_view view;
    view.up = true;
    view.problem.clear();
    view.capacity = {8, 32 * 1024, 2, 86400};
    published.slurm.publish(view);
  }

  void a_dataset_is_there() {
    root.put("datasets/" + sha + "/data.txt", "data");
    const dataset d{sha, "datasets/" + sha + "/", 4, now()};
    auto db = store::open(root.path());
    store::datasets{db}.put(d);
    published.datasets.publish(d);
  }

private:
  static launcher start_launcher() {
    return launcher::start({getuid(), getgid(), {}}, {"PATH=/usr/bin:/bin"});
  }
};

} // namespace jobrunner
