// A session's outputs under their names.
#pragma once

#include "tools/Command.h"
#include "tools/npy.h"

namespace fovea::tools {

// Of the last run, in the order of the entry point; valid until the next one.
npy::Views outputsOf(const fovea_session *session, const fovea_model *model);

} // namespace fovea::tools
