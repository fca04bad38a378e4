// Bytes of a tar archive to a client, from the files themselves.
#pragma once

#include "http/types.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>

namespace jobrunner::http {

/// As send_file: where a file is not what it was when the archive was planned, it throws, and the
/// client sees an archive that is cut.
asio::awaitable<void> send_archive(asio::ip::tcp::socket& socket, archive_part& part,
                                   asio::thread_pool& pool, std::function<void()> progress);

} // namespace jobrunner::http
