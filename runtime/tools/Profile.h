// The launches of a session's last run, for people and as JSON.
#pragma once

#include "fovea/fovea.h"

#include <nlohmann/json.hpp>
#include <string>

namespace fovea::tools {

// {"entry", "total_s", "dispatches":
// [{"node","kernel","launches","seconds","share","flops","bytes","gflops","gbytes_per_s"}]}, slowest first; launches of
// one dispatch are added up. Rates are absent where the artifact does not say what is done.
nlohmann::json profileJson(const fovea_session *session, const fovea_model *model);

std::string profileTable(const nlohmann::json &profile);

// Floating point operations of the last run, as far as the artifact says.
double profiledFlops(const nlohmann::json &profile);

} // namespace fovea::tools
