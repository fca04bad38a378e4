#include "actors/transfer_task.hpp"

#include "actors/errors.hpp"
#include "actors/export_run.hpp"
#include "actors/extraction.hpp"
#include "actors/progress_teller.hpp"
#include "archive/ingest.hpp"
#include "core/log.hpp"

#include <caf/send.hpp>

namespace jobrunner {

namespace {

using namespace std::chrono_literals;

constexpr auto ask_again_after = 2s; // for a staging folder, while there are too many uploads
constexpr auto tell_every = 200ms;
constexpr int most_changes = 3; // of the bucket, while an import reads it

transfer_report failed(const transfer& what, const caf::error& why) {
  const auto f = to_failure(why);
  transfer_report last;
  last.id = what.id;
  last.state = "FAILED";
  last.error_code = to_string(f.code());
  last.error = f.what();
  if (f.code() == errc::internal) {
    log("transfers", "internal_error", {{"id", what.id}, {"why", f.what()}});
    last.error = "something went wrong inside the server; its log says what";
  }
  return last;
}

/// What the handlers of one task share. Goes with the actor.
class task : public std::enable_shared_from_this<task> {
public:
  task(caf::event_based_actor* self, const services& with, transfer_peers peers, transfer what,
       std::shared_ptr<transfer_orders> orders)
      : self_(self),
        with_(with),
        peers_(std::move(peers)),
        what_(std::move(what)),
        orders_(std::move(orders)) {}

  void begin() {
    try {
      if (what_.way == direction::out)
        begin_export();
      else
        begin_import();
    } catch (...) {
      over(current_error());
    }
  }

private:
  import_run::progress teller() {
    const auto paced = std::make_shared<progress_teller>(
        tell_every,
        [desk = peers_.desk](const transfer_report& r) { caf::anon_send(desk, atom::seen_v, r); });
    return [this, paced](transfer_report r) { // from any thread, one at a time
      last_ = r;
      paced->tell(std::move(r));
    };
  }

  void begin_export() {
    self_->request(peers_.jobs, caf::infinite, atom::get_v, what_.job_id)
        .then(
            [me = shared_from_this()](const job& of) {
              try {
                me->end(run_export(me->with_, me->what_, of, *me->orders_, me->teller()));
              } catch (...) {
                me->over(current_error());
              }
            },
            [me = shared_from_this()](const caf::error& e) { me->over(e); });
  }

  void begin_import() {
    run_.emplace(with_, what_, orders_, teller());
    ask_for_room(run_->plan());
  }

  void ask_for_room(std::uint64_t bytes) {
    self_->request(peers_.datasets, caf::infinite, atom::begin_v, bytes)
        .then([me = shared_from_this()](const std::string& staging) { me->receive(staging); },
              [me = shared_from_this(), bytes](const caf::error& e) {
                if (to_failure(e).code() != errc::too_many || me->orders_->stop.stop_requested())
                  return me->over(e);
                me->self_->delayed_send(me->self_, ask_again_after, atom::begin_v, bytes);
              });
  }

  void receive(const std::string& staging) {
    staging_ = staging;
    try {
      self_->request(peers_.datasets, caf::infinite, atom::commit_v, run_->receive(staging))
          .then(
              [me = shared_from_this()](const dataset& made) {
                auto last = me->last_;
                last.state = "COMPLETED";
                last.dataset_sha = made.sha256;
                me->end(std::move(last));
              },
              [me = shared_from_this()](const caf::error& e) { me->over(e); });
    } catch (const failure& f) {
      if (f.code() != errc::conflict || ++changes_ > most_changes)
        return over(current_error());
      log("transfers", "changed", {{"id", what_.id}, {"why", f.what()}});
      clean();
      begin();
    } catch (...) {
      over(current_error());
    }
  }

  void clean() {
    if (staging_.empty())
      return;
    archive::discard(extraction_of(with_), staging_);
    self_->send(peers_.datasets, atom::abort_v, staging_);
    staging_.clear();
  }

  void over(const caf::error& why) {
    auto last = failed(what_, why);
    last.bytes_done = last_.bytes_done;
    last.files_done = last_.files_done;
    last.bytes_total = last_.bytes_total;
    last.files_total = last_.files_total;
    end(std::move(last));
  }

  void end(transfer_report last) {
    run_.reset();
    clean();
    if (!orders_->stop.stop_requested() || last.state == "COMPLETED")
      self_->send(peers_.desk, atom::seen_v, std::move(last));
    self_->quit();
  }

public:
  void again(std::uint64_t bytes) {
    if (orders_->stop.stop_requested())
      return over(caf::make_error(errc::unavailable, std::string{"it was stopped"}));
    ask_for_room(bytes);
  }

private:
  caf::event_based_actor* self_;
  const services& with_;
  transfer_peers peers_;
  transfer what_;
  std::shared_ptr<transfer_orders> orders_;
  std::optional<import_run> run_;
  transfer_report last_;
  std::string staging_;
  int changes_ = 0;
};

} // namespace

caf::behavior transfer_task(caf::event_based_actor* self, const services& with,
                            const transfer_peers& peers, const transfer& what,
                            const std::shared_ptr<transfer_orders>& orders) {
  const auto work = std::make_shared<task>(self, with, peers, what, orders);
  self->send(self, atom::begin_v);
  return {[work](atom::begin) { work->begin(); },
          [work](atom::begin, std::uint64_t bytes) { work->again(bytes); }};
}

} // namespace jobrunner
