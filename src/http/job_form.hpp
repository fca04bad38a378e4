// The fields of POST /jobs, and of what else makes a job, as one request to the registry.
#pragma once

#include "actors/api.hpp"
#include "http/text/fields.hpp"

namespace jobrunner::http {

/// What the form asks for; what it does not name is as in `otherwise`. Whether the values fit is
/// looked at where it is known. Throws failure{invalid} that names the field.
job_request read_job_form(const fields& form, job_request otherwise = {});

} // namespace jobrunner::http
