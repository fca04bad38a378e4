// The words that tell actors' messages apart, and why these need no serializer.
//
// Messages never leave this process (we link caf_core, not caf_io): each header allows its own
// types as they are. Give one an inspect() the day that changes.
#pragma once

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>

CAF_BEGIN_TYPE_ID_BLOCK(jobrunner, caf::first_custom_type_id)
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, abort, "abort")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, advance, "advance")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, array, "array")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, begin, "begin")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, cancel, "cancel")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, check, "check")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, commit, "commit")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, discard, "discard")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, edit, "edit")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, expire, "expire")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, find, "find")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, get, "get")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, hint, "hint")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, hold, "hold")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, import, "import")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, index, "index")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, kill, "kill")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, list, "list")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, lock, "lock")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, plan, "plan")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, recall, "recall")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, remove, "remove")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, retry, "retry")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, seen, "seen")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, signal, "signal")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, submit, "submit")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, tick, "tick")
  CAF_ADD_ATOM(jobrunner, jobrunner::atom, wait, "wait")
CAF_END_TYPE_ID_BLOCK(jobrunner)
