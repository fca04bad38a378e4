// What the disk takes: the bytes of a file written to another one, and fdatasync.
//
//   bench-disk-rate FROM TO
//
// FROM should be in the page cache. TO must not exist, and stays. Prints {"bytes":N,"seconds":S}.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  const int from = argc == 3 ? ::open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
  const int to = argc == 3 ? ::open(argv[2], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
  if (from < 0 || to < 0) {
    std::fputs("usage: bench-disk-rate FROM TO\n", stderr);
    return 2;
  }
  std::vector<char> block(1 << 20);
  std::size_t bytes = 0;
  const auto start = std::chrono::steady_clock::now();
  for (ssize_t n = 0; (n = ::read(from, block.data(), block.size())) > 0;) {
    if (::write(to, block.data(), static_cast<std::size_t>(n)) != n)
      return 1;
    bytes += static_cast<std::size_t>(n);
  }
  if (::fdatasync(to) != 0)
    return 1;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("{\"bytes\":%zu,\"seconds\":%.6f}\n", bytes, took.count());
}
