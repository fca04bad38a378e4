// ThreadSanitizer does not see how Debian's libcaf_core, which is not instrumented, hands messages
// and last references from one thread to another: by atomics of its own. Linked into builds with
// -fsanitize=thread alone, these functions take the place of the library's, tell, and call it.
#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/ref_counted.hpp>
#include <caf/scheduled_actor.hpp>

#include <dlfcn.h>

#include <cstdlib>
#include <sanitizer/tsan_interface.h>

namespace {

template <class Function>
Function* of_the_library(const char* mangled) {
  auto* found = dlsym(RTLD_NEXT, mangled);
  if (!found)
    std::abort(); // another version of CAF
  return reinterpret_cast<Function*>(found);
}

/// What whoever gave up a reference did before comes before what the last one does, the end.
void give_up_reference(const void* to) {
  auto* at = const_cast<void*>(to);
  __tsan_release(at);
  __tsan_acquire(at);
}

} // namespace

namespace caf {

void scheduled_actor::enqueue(mailbox_element_ptr what, execution_unit* by) {
  static auto* const real =
      of_the_library<void(scheduled_actor*, mailbox_element_ptr, execution_unit*)>(
          "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_"
          "6detail8disposerEEPNS_14execution_unitE");
  __tsan_release(what.get());
  real(this, std::move(what), by);
}

scheduled_actor::activation_result scheduled_actor::reactivate(mailbox_element& what) {
  static auto* const real = of_the_library<activation_result(scheduled_actor*, mailbox_element&)>(
      "_ZN3caf15scheduled_actor10reactivateERNS_15mailbox_elementE");
  __tsan_acquire(&what);
  __tsan_acquire(this); // a scheduled actor goes from thread to thread
  const auto result = real(this, what);
  __tsan_release(this);
  return result;
}

void intrusive_ptr_release(actor_control_block* to) {
  static auto* const real = of_the_library<void(actor_control_block*)>(
      "_ZN3caf21intrusive_ptr_releaseEPNS_19actor_control_blockE");
  give_up_reference(to);
  real(to);
}

void ref_counted::deref() const noexcept {
  static auto* const real =
      of_the_library<void(const ref_counted*)>("_ZNK3caf11ref_counted5derefEv");
  give_up_reference(this);
  real(this);
}

} // namespace caf
