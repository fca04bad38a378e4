// The way of a task's bytes into the datasets: a staging folder, what the task puts there, the
// commit, and the folder given back whatever came of it.
#pragma once

#include "actors/api.hpp"
#include "actors/errors.hpp"
#include "actors/services.hpp"
#include "archive/ingest.hpp"

#include <caf/typed_response_promise.hpp>

#include <string>

namespace jobrunner {

/// Makes a dataset of the `arrival` that `fill(staging)` returns: there is room for `bytes`. `fill`
/// may block, as far as `self` may, and throw. The promise gets the dataset or what went wrong;
/// then `over()`.
template <class Self, class Fill, class Over>
void make_dataset(Self* self, const services& with, const dataset_actor& datasets,
                  std::uint64_t bytes, caf::typed_response_promise<dataset> promise, Fill fill,
                  Over over) {
  auto end = [=, &with](const std::string& staging, const auto& result) mutable {
    promise.deliver(result);
    archive::discard(archive::extraction_of(with.extractors, with.settings), staging);
    self->send(datasets, atom::abort_v, staging);
    over();
  };
  auto receive = [=](const std::string& staging) mutable {
    try {
      self->request(datasets, caf::infinite, atom::commit_v, fill(staging))
          .then([=](const dataset& made) mutable { end(staging, made); },
                [=](const caf::error& e) mutable { end(staging, e); });
    } catch (...) {
      end(staging, current_error());
    }
  };
  self->request(datasets, caf::infinite, atom::begin_v, bytes)
      .then(receive, [=](const caf::error& e) mutable {
        promise.deliver(e);
        over();
      });
}

} // namespace jobrunner
