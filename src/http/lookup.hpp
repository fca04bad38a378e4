// Jobs and datasets by what a request calls them.
#pragma once

#include "http/types.hpp"

namespace jobrunner::http {

/// From the snapshot; from the registry for a job that ended long ago. Throws failure{not_found}.
asio::awaitable<std::shared_ptr<const job>> find_job(const context& with, std::int64_t id);

/// The same, with its outputs in the database if it is done: indexes first where that has not
/// happened.
asio::awaitable<std::shared_ptr<const job>> find_indexed_job(const context& with, std::int64_t id);

} // namespace jobrunner::http
