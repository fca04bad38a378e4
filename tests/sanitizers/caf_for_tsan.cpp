// ThreadSanitizer does not see how Debian's libcaf_core, which is not instrumented, hands messages,
// actors and last references from one thread to another: by atomics of its own. Linked into builds
// with -fsanitize=thread alone, what stands here takes the place of the library's: it is either
// compiled here, and so seen, or it tells, and calls the library. Nothing has to be suppressed.
#include <caf/actor_control_block.hpp>
#include <caf/blocking_actor.hpp>
#include <caf/detail/double_ended_queue.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/policy/work_stealing.hpp>
#include <caf/ref_counted.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <caf/scheduler/worker.hpp>

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

/// A message is given to an actor by one thread, and taken out of its mailbox by another.
void give(const caf::memory_managed& message) {
  __tsan_release(const_cast<caf::memory_managed*>(&message));
}
void take(const caf::memory_managed& message) {
  __tsan_acquire(const_cast<caf::memory_managed*>(&message));
}

} // namespace

namespace caf {

// The scheduler is all templates: compiled here, it is instrumented, its queues' atomics too.
template class detail::double_ended_queue<resumable>;
template class scheduler::worker<policy::work_stealing>;
template class scheduler::coordinator<policy::work_stealing>;

void scheduled_actor::enqueue(mailbox_element_ptr what, execution_unit* by) {
  static auto* const real =
      of_the_library<void(scheduled_actor*, mailbox_element_ptr, execution_unit*)>(
          "_ZN3caf15scheduled_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_"
          "6detail8disposerEEPNS_14execution_unitE");
  give(*what);
  real(this, std::move(what), by);
}

scheduled_actor::activation_result scheduled_actor::reactivate(mailbox_element& what) {
  static auto* const real = of_the_library<activation_result(scheduled_actor*, mailbox_element&)>(
      "_ZN3caf15scheduled_actor10reactivateERNS_15mailbox_elementE");
  take(what);
  __tsan_acquire(this); // a scheduled actor goes from thread to thread
  const auto result = real(this, what);
  __tsan_release(this);
  return result;
}

void blocking_actor::enqueue(mailbox_element_ptr what, execution_unit* by) {
  static auto* const real =
      of_the_library<void(blocking_actor*, mailbox_element_ptr, execution_unit*)>(
          "_ZN3caf14blocking_actor7enqueueESt10unique_ptrINS_15mailbox_elementENS_"
          "6detail8disposerEEPNS_14execution_unitE");
  give(*what);
  real(this, std::move(what), by);
}

intrusive::task_result blocking_actor::mailbox_visitor::operator()(mailbox_element& what) {
  static auto* const real =
      of_the_library<intrusive::task_result(mailbox_visitor*, mailbox_element&)>(
          "_ZN3caf14blocking_actor15mailbox_visitorclERNS_15mailbox_elementE");
  take(what);
  return real(this, what);
}

// An actor that ends drops its mailbox, unread.
void memory_managed::request_deletion(bool) const noexcept {
  take(*this);
  delete this;
}

// What each holder did comes before the end, whoever gives up the last reference: counted here, the
// count orders it for ThreadSanitizer too.

void intrusive_ptr_release(actor_control_block* of) {
  if (of->strong_refs.fetch_sub(1, std::memory_order_acq_rel) > 1)
    return;
  of->data_dtor(of->get());
  intrusive_ptr_release_weak(of);
}

void intrusive_ptr_release_weak(actor_control_block* of) {
  if (of->weak_refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    of->block_dtor(of);
}

void ref_counted::deref() const noexcept {
  if (rc_.fetch_sub(1, std::memory_order_acq_rel) == 1)
    request_deletion(true);
}

} // namespace caf
