#include "tools/Outputs.h"

using namespace fovea;
using namespace fovea::tools;

npy::Views tools::outputsOf(const fovea_session *session, const fovea_model *model) {
  fovea_entry_info entry;
  call(fovea_model_entry, model, fovea_session_entry(session), &entry);
  npy::Views views;
  for (uint32_t i = 0; i < entry.output_count; ++i) {
    fovea_tensor_info info;
    fovea_tensor tensor;
    call(fovea_model_output, model, fovea_session_entry(session), i, &info);
    call(fovea_session_output, session, i, &tensor);
    views.emplace_back(info.name, npy::View(tensor.dtype, {tensor.dims, tensor.rank}, tensor.data));
  }
  return views;
}
