// The bytes of a new dataset on their way from the connection into a staging folder: while the next
// ones are received the last are hashed, written and fed to the extractor.
#pragma once

#include "http/pump.hpp"
#include "http/types.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jobrunner::http {

/// What the bytes just received mean for the disk.
struct piece {
  std::string begin;                   // the file's name, if it begins here
  bool extract = true;                 // an archive is, likewise
  std::vector<std::string_view> bytes; // of the file
};

class intake {
public:
  /// Takes what has been received apart; the views are into it.
  using splitter = std::function<piece(std::string_view)>;

  intake(exchange& x, std::string staging, const asio::any_io_executor& home);

  /// The whole body. Throws failure: what `split` throws, too_large, disk_full, unprocessable.
  asio::awaitable<void> receive(splitter split);

  /// Once, after receive(), which has seen a file begin: hashed, and durable where it is.
  asio::awaitable<arrival> finish();

  /// To be awaited before this goes, whatever has happened.
  asio::awaitable<void> clean();

private:
  void keep(const piece& part);

  exchange& x_;
  std::string staging_, name_;
  pump pump_;
  std::optional<archive::ingest> into_;
};

/// Throws failure{too_large} for a body that is too long by its own account.
void check_length(const exchange& x);

/// Begins an upload, receives it, makes it a dataset, and leaves nothing where that fails.
asio::awaitable<dataset> take_in(exchange& x,
                                 std::function<asio::awaitable<arrival>(intake&)> receive);

} // namespace jobrunner::http
