#include "actors/root.hpp"

#include "actors/b2_importer.hpp"
#include "actors/dataset_scrubber.hpp"
#include "actors/dataset_store.hpp"
#include "actors/event_reader.hpp"
#include "actors/job_lists.hpp"
#include "actors/job_registry.hpp"
#include "actors/job_remover.hpp"
#include "actors/output_hasher.hpp"
#include "actors/output_indexer.hpp"
#include "actors/slurm_poller.hpp"
#include "actors/slurm_worker.hpp"
#include "actors/upload_store.hpp"
#include "actors/webhook_desk.hpp"
#include "core/log.hpp"
#include "store/schema.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_clock.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <latch>

namespace jobrunner {

namespace {
constexpr std::size_t slurm_workers = 4; // sbatch calls at once: more do not make slurmctld faster
}

caf_settings::caf_settings() {
  set("scheduler.policy", caf::atom("sharing")); // stealing costs 60 us a message and spins
  set("scheduler.max-threads", std::size_t{2});
}

struct root::ending {
  explicit ending(std::ptrdiff_t actors) : left(actors) {}
  std::atomic<bool> wanted = false;
  std::latch left; // of the actors
};

root::root(caf::actor_system& sys, const services& with) : sys_(sys) {
  store::migrate(with.settings.root);
  const auto shared = std::cref(with);
  const auto cleaner = sys.spawn<caf::detached>(dataset_cleaner, shared); // waits for children
  const auto datasets =
      std::make_shared<dataset_store>(with, [cleaner](const std::filesystem::path& folder) {
        caf::anon_send(cleaner, atom::discard_v, folder.string());
      });
  handles_.datasets =
      sys.spawn<caf::detached>(dataset_store_actor, datasets); // renames, fsync, SQLite
  handles_.uploads =
      sys.spawn<caf::detached>(upload_store_actor, shared, handles_.datasets); // SQLite
  handles_.scrubber =
      sys.spawn<caf::detached>(dataset_scrubber, shared, handles_.datasets);               // reads
  handles_.adopter = sys.spawn<caf::detached>(dataset_adopter, shared, handles_.datasets); // copies
  const auto hasher = sys.spawn<caf::detached>(output_hasher, shared); // reads, SQLite
  handles_.indexer =
      sys.spawn<caf::detached>(output_indexer, shared, hasher);       // walks folders, SQLite
  handles_.outputs = sys.spawn<caf::detached>(output_reader, shared); // SQLite
  handles_.events = sys.spawn<caf::detached>(event_reader, shared);   // SQLite
  std::vector<slurm_actor> workers;
  for (std::size_t i = 0; i < slurm_workers; ++i)
    workers.push_back(sys.spawn<caf::detached>(slurm_worker, shared));      // waits for sbatch
  handles_.job_lists = sys.spawn<caf::detached>(job_lists, shared);         // SQLite
  const auto remover = sys.spawn<caf::detached>(job_remover, shared);       // removes folders
  handles_.webhooks = sys.spawn<caf::detached>(webhook_desk_actor, shared); // SQLite
  handles_.jobs = sys.spawn<caf::detached>(job_registry_actor, shared, handles_.indexer, workers,
                                           remover, handles_.webhooks); // SQLite
  handles_.importer = sys.spawn<caf::detached>(b2_importer, shared, handles_.datasets,
                                               handles_.jobs); // SQLite
  handles_.slurm =
      sys.spawn<caf::detached>(slurm_poller_actor, shared, handles_.jobs); // waits for squeue

  // Newest first: nobody is asked after its own end.
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.slurm));    // tells the registry
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.importer)); // asks datasets, jobs
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.jobs));     // asks all below
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.webhooks));
  stop_order_.push_back(caf::actor_cast<caf::actor>(remover));
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.job_lists));
  for (const auto& w : workers)
    stop_order_.push_back(caf::actor_cast<caf::actor>(w));
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.events));
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.outputs));
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.indexer)); // tells the hasher
  stop_order_.push_back(caf::actor_cast<caf::actor>(hasher));
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.uploads));  // asks datasets
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.adopter));  // asks datasets
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.scrubber)); // tells datasets
  stop_order_.push_back(caf::actor_cast<caf::actor>(handles_.datasets)); // tells the cleaner
  stop_order_.push_back(caf::actor_cast<caf::actor>(cleaner));
  ending_ = std::make_shared<ending>(static_cast<std::ptrdiff_t>(stop_order_.size()));
  // An actor that dies by itself has lost its state: better a new process, which recovers it.
  for (const auto& a : stop_order_)
    caf::actor_cast<caf::abstract_actor*>(a)->attach_functor(
        [all = ending_, name = to_string(a)](const caf::error& why) {
          if (!all->wanted.load()) {
            log("root", "actor_died", {{"actor", name}, {"why", to_string(why)}});
            std::_Exit(EXIT_FAILURE);
          }
          all->left.count_down();
        });
}

root::~root() {
  ending_->wanted.store(true);
  for (const auto& a : stop_order_)
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  ending_->left.wait();
  // Delayed messages hold the actors they are for, whose threads the actor_system waits for: the
  // patience of a parked long-poll would keep this process for minutes (CAF 0.17.6).
  sys_.scheduler().clock().cancel_all();
}

} // namespace jobrunner
