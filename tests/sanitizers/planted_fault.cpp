// One fault of each kind that a build with sanitizers must see: a sanitizer that reports nothing
// would pass every test. Its tests pass when the fault is reported.
//
//     planted_fault use_after_free|overflow|race
#include <climits>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <thread>

namespace {

int use_after_free() {
  const volatile int* gone = nullptr;
  { // out of sight of g++, which would refuse it
    const auto p = std::make_unique<int>(1);
    asm volatile("" : "=r"(gone) : "0"(p.get()));
  }
  return *gone;
}

int overflow() {
  const volatile int most = INT_MAX;
  return most + 1;
}

int race() {
  int shared = 0;
  const auto count = [&shared] {
    for (int i = 0; i < 100'000; ++i)
      static_cast<volatile int&>(shared) = static_cast<volatile int&>(shared) + 1;
  };
  std::thread one{count}, other{count};
  one.join();
  other.join();
  return shared;
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view what{argc > 1 ? argv[1] : ""};
  int seen = 0;
  if (what == "use_after_free")
    seen = use_after_free();
  else if (what == "overflow")
    seen = overflow();
  else if (what == "race")
    seen = race();
  return seen == 42 ? EXIT_FAILURE : EXIT_SUCCESS;
}
