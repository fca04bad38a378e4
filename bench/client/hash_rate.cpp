// What one core hashes: SHA-256 by OpenSSL's EVP over blocks of 1 MiB, in the processor's time, so
// that who else runs matters little; and the same by the clock.
//
//   bench-hash-rate [MIB]
//
// Prints {"bytes":N,"seconds":S,"cpu":S}.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <openssl/evp.h>
#include <random>
#include <vector>

int main(int argc, char** argv) {
  const std::size_t blocks = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1024;
  std::vector<unsigned char> block(1 << 20);
  std::mt19937_64 random{7};
  for (auto& b : block)
    b = static_cast<unsigned char>(random());
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex(hash, EVP_sha256(), nullptr);
  const auto start = std::chrono::steady_clock::now();
  const auto used = std::clock();
  for (std::size_t i = 0; i < blocks; ++i)
    EVP_DigestUpdate(hash, block.data(), block.size());
  unsigned char digest[32];
  EVP_DigestFinal_ex(hash, digest, nullptr);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const auto cpu = static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC;
  EVP_MD_CTX_free(hash);
  std::printf("{\"bytes\":%zu,\"seconds\":%.6f,\"cpu\":%.6f}\n", blocks << 20, took.count(), cpu);
}
