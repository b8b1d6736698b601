// One artifact test, whichever lowering: chosen by cost, forced, forbidden, forced for this operation only, forced for one that is not there.
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check
// RUN: fovea-inspect %t.fovea | FileCheck %s --check-prefix=OWN
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check --lowering=linear-attention
// RUN: fovea-inspect %t.fovea | FileCheck %s --check-prefix=OWN
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check --lowering=attn.attention=-linear-attention
// RUN: fovea-inspect %t.fovea | FileCheck %s --check-prefix=STOCK
// RUN: fovea-compile %s --plugin=%plugin -o %t.fovea --check --lowering=attn.attention=attention-general
// RUN: fovea-inspect %t.fovea | FileCheck %s --check-prefix=GENERAL
// RUN: not fovea-compile %s --plugin=%plugin -o %t.fovea --lowering=linalg.matmul=attention-general 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not fovea-compile %s --plugin=%plugin -o %t.fovea --lowering=attn.attention=quick 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// OWN: kind = "linear-attention"
// STOCK: kind = "attention",
// GENERAL: kind = "attention-general"
// ABSENT: error: --lowering: expected an operation of a kernel ({{.*}}attn.attention{{.*}}), got 'linalg.matmul'
// UNKNOWN: error: --lowering: expected [OP=][-]NAME with one of {{.*}}linear-attention{{.*}}, got 'attn.attention=quick'

func.func @main(%q: tensor<?x6x?x20xf32> {exec.name = "q", exec.dims = ["batch", 6, "queries", 20]},
                %k: tensor<?x2x?x20xf32> {exec.name = "k", exec.dims = ["batch", 2, "keys", 20]},
                %v: tensor<?x2x?x24xf32> {exec.name = "v", exec.dims = ["batch", 2, "keys", 24]})
    -> (tensor<?x6x?x24xf32> {exec.name = "y", exec.dims = ["batch", 6, "queries", 24]}) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : tensor<?x6x?x20xf32>
  %m = tensor.dim %q, %c2 : tensor<?x6x?x20xf32>
  %init = tensor.empty(%b, %m) : tensor<?x6x?x24xf32>
  %y = attn.attention ins(%q, %k, %v : tensor<?x6x?x20xf32>, tensor<?x2x?x20xf32>, tensor<?x2x?x24xf32>) outs(%init : tensor<?x6x?x24xf32>)
      {normalizer = #attn.normalizer<none>, scale = 0.25 : f64} -> tensor<?x6x?x24xf32>
  return %y : tensor<?x6x?x24xf32>
}
