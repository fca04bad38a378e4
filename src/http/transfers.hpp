// What imports and exports have in common: they are shown, waited for, listed and cancelled alike.
#pragma once

#include "http/types.hpp"

namespace jobrunner::http {

/// A transfer as the API shows it, with its dataset where there is one.
boost::json::object to_json(const transfer&, const dataset_board&);

/// The one with the id of the request's path. Throws failure{not_found}.
asio::awaitable<transfer> find_transfer(const exchange&, direction);

/// 202 with a Location: it is taken on and done later.
asio::awaitable<response> take_on(exchange&, transfer wanted);

/// GET /<ways>/{id}?wait=S&since=SEQ: at once, or when it is done or (since) has changed.
asio::awaitable<response> show(exchange&, direction);

/// GET /<ways>/{id}/events: each change as it happens, to the end.
asio::awaitable<response> stream(exchange&, direction);

asio::awaitable<response> list(exchange&, direction);
asio::awaitable<response> cancel(exchange&, direction);

} // namespace jobrunner::http
