// Layers with a state and caches, as ONNX's reference implementation computes them.
// RUN: reference-check %s

func.func @linear() -> (tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>) {
  %q = arith.constant dense<[[[[0.25, 0.790000021], [0.550000012, -0.550000012]], [[-0.400000006, 0.75], [-0.99000001, 0.639999986]], [[0.589999974, -0.059999999], [-0.389999986, -0.439999998]]]]> : tensor<1x3x2x2xf32>
  %k = arith.constant dense<[[[[-0.49000001, -0.109999999]], [[0.01, 0.109999999]], [[0.99000001, 0.589999974]]]]> : tensor<1x3x1x2xf32>
  %v = arith.constant dense<[[[[0.239999995, 0.980000019, -0.569999993]], [[-0.680000007, 0.230000004, -0.910000026]], [[-0.930000007, 0.029999999, -0.07]]]]> : tensor<1x3x1x3xf32>
  %i = tensor.empty() : tensor<1x3x2x3xf32>
  %j = tensor.empty() : tensor<1x1x2x3xf32>
  %got0, %got1 = attn.linear_attention ins(%q, %k, %v : tensor<1x3x2x2xf32>, tensor<1x3x1x2xf32>, tensor<1x3x1x3xf32>) outs(%i, %j : tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>) {scale = 0.5 : f64} -> tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>
  %want0 = arith.constant dense<[[[[-0.025127999, -0.102605999, 0.059679002], [-0.025080001, -0.102410018, 0.059565008]], [[-0.01307, 0.064642504, -0.068065003], [0.029194001, 0.210160524, -0.14571701]], [[-0.288807482, -0.130274996, 0.061626501], [0.346772492, 0.101654999, -0.021861501]]]]> : tensor<1x3x2x3xf32>
  %want1 = arith.constant dense<[[[[-1.045099974, -0.448200017, 0.200900018], [-0.64989996, -0.064799994, -0.078700006]]]]> : tensor<1x1x2x3xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>
}

func.func @gated() -> (tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>) {
  %q = arith.constant dense<[[[[0.829999983, 0.25999999], [0.029999999, -0.01]], [[-0.5, -0.980000019], [-0.620000005, 0.379999995]], [[-0.600000024, -0.25999999], [-0.99000001, 0.660000026]]]]> : tensor<1x3x2x2xf32>
  %k = arith.constant dense<[[[[-0.689999998, -0.460000008]], [[0.75999999, 0.02]], [[0.689999998, 0.280000001]]]]> : tensor<1x3x1x2xf32>
  %v = arith.constant dense<[[[[0.479999989, -0.819999993, 0.079999998]], [[0.02, 0.74000001, -0.280000001]], [[0.200000003, -0.879999995, -0.219999999]]]]> : tensor<1x3x1x3xf32>
  %s = arith.constant dense<[[[[-0.349999994, -0.699999988, 0.629999995], [-0.239999995, 0.959999979, 0.180000007]]]]> : tensor<1x1x2x3xf32>
  %g = arith.constant dense<[[[[-0.209999993, -0.280000001]], [[-0.349999994, -0.699999988]], [[-0.119999997, -0.519999981]]]]> : tensor<1x3x1x2xf32>
  %i = tensor.empty() : tensor<1x3x2x3xf32>
  %j = tensor.empty() : tensor<1x1x2x3xf32>
  %got0, %got1 = attn.linear_attention ins(%q, %k, %v : tensor<1x3x2x2xf32>, tensor<1x3x1x2xf32>, tensor<1x3x1x3xf32>) state(%s : tensor<1x1x2x3xf32>) decay(%g : tensor<1x3x1x2xf32>) outs(%i, %j : tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>) {scale = 0.5 : f64} -> tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>
  %want0 = arith.constant dense<[[[[-0.307469785, 0.142690107, 0.201920569], [-0.007212626, -0.005537895, 0.006335815]], [[0.202196091, -0.415897727, -0.048444737], [0.091744989, -0.0671345, -0.025230989]], [[0.077975698, 0.021385055, 0.021392375], [0.09462852, 0.083182096, 0.015896689]]]]> : tensor<1x3x2x3xf32>
  %want1 = arith.constant dense<[[[[-0.232835546, -0.109401524, -0.055868097], [-0.062500231, 0.087964654, -0.03563036]]]]> : tensor<1x1x2x3xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>
}

func.func @delta() -> (tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>) {
  %q = arith.constant dense<[[[[-0.200000003, -0.810000002], [0.939999998, -0.569999993]], [[0.340000004, -0.400000006], [0.75, 0.319999993]], [[-0.74000001, 0.689999998], [0.889999986, 0.810000002]]]]> : tensor<1x3x2x2xf32>
  %k = arith.constant dense<[[[[0.140000001, -0.709999979]], [[-0.620000005, 0.860000014]], [[0.100000001, -0.639999986]]]]> : tensor<1x3x1x2xf32>
  %v = arith.constant dense<[[[[0.769999981, 0.280000001, 0.140000001]], [[-0.25, -0.180000007, -0.519999981]], [[-0.920000017, 0.75, -0.059999999]]]]> : tensor<1x3x1x3xf32>
  %s = arith.constant dense<[[[[0.100000001, -0.360000014, 0.5], [-0.949999988, -0.25999999, -0.939999998]]]]> : tensor<1x1x2x3xf32>
  %b = arith.constant dense<[[[0.75], [0.930000007], [0.319999993]]]> : tensor<1x3x1xf32>
  %i = tensor.empty() : tensor<1x3x2x3xf32>
  %j = tensor.empty() : tensor<1x1x2x3xf32>
  %got0, %got1 = attn.linear_attention ins(%q, %k, %v : tensor<1x3x2x2xf32>, tensor<1x3x1x2xf32>, tensor<1x3x1x3xf32>) state(%s : tensor<1x1x2x3xf32>) beta(%b : tensor<1x3x1xf32>) outs(%i, %j : tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>) {scale = 0.5 : f64} -> tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>
  %want0 = arith.constant dense<[[[[0.39147073, 0.171212688, 0.208135903], [0.334140658, -0.065777801, 0.382755369]], [[0.043866448, 0.035589915, 0.124948531], [-0.177510649, -0.174160868, 0.039240547]], [[0.043405786, -0.081544556, -0.208486542], [-0.227442741, -0.332095563, -0.0147416]]]]> : tensor<1x3x2x3xf32>
  %want1 = arith.constant dense<[[[[-0.316595256, -0.268800735, 0.261561424], [-0.213723078, -0.524640083, -0.32379365]]]]> : tensor<1x1x2x3xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>
}

func.func @gated_delta() -> (tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>) {
  %q = arith.constant dense<[[[[-0.140000001, 0.050000001], [0.75, -0.310000002]], [[0.180000007, 0.370000005], [-0.289999992, 0.039999999]], [[0.529999971, 0.819999993], [-0.699999988, 0.870000005]]]]> : tensor<1x3x2x2xf32>
  %k = arith.constant dense<[[[[-0.99000001, 0.50999999]], [[0.620000005, -0.730000019]], [[-0.159999996, 0.629999995]]]]> : tensor<1x3x1x2xf32>
  %v = arith.constant dense<[[[[-0.970000029, 0.25999999, 0.589999974]], [[0.029999999, 0.449999988, -0.550000012]], [[-0.600000024, -0.270000011, -0.639999986]]]]> : tensor<1x3x1x3xf32>
  %s = arith.constant dense<[[[[-0.310000002, 0.899999976, 0.150000006], [-0.319999993, -0.460000008, 0.899999976]]]]> : tensor<1x1x2x3xf32>
  %g = arith.constant dense<[[[[-0.109999999]], [[-0.959999979]], [[-0.029999999]]]]> : tensor<1x3x1x1xf32>
  %b = arith.constant dense<[[[0.039999999], [0.790000021], [0.49000001]]]> : tensor<1x3x1xf32>
  %i = tensor.empty() : tensor<1x3x2x3xf32>
  %j = tensor.empty() : tensor<1x1x2x3xf32>
  %got0, %got1 = attn.linear_attention ins(%q, %k, %v : tensor<1x3x2x2xf32>, tensor<1x3x1x2xf32>, tensor<1x3x1x3xf32>) state(%s : tensor<1x1x2x3xf32>) decay(%g : tensor<1x3x1x1xf32>) beta(%b : tensor<1x3x1xf32>) outs(%i, %j : tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>) {scale = 0.5 : f64} -> tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>
  %want0 = arith.constant dense<[[[[0.008666892, -0.062576912, 0.011773479], [-0.039917, 0.343371481, -0.080195114]], [[-0.029914647, -0.011482745, 0.08379402], [0.010701286, -0.058352936, 0.028493656]], [[-0.127395466, -0.008091763, 0.069211088], [-0.106815189, -0.237878323, 0.102179617]]]]> : tensor<1x3x2x3xf32>
  %want1 = arith.constant dense<[[[[-0.044914708, 0.363289326, -0.045548521], [-0.281690419, -0.254544944, 0.198247433]]]]> : tensor<1x1x2x3xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x3x2x3xf32>, tensor<1x3x2x3xf32>, tensor<1x1x2x3xf32>, tensor<1x1x2x3xf32>
}

func.func @conv() -> (tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %x = arith.constant dense<[[[0.159999996, -0.150000006, 0.75999999, -0.180000007], [0.850000024, -0.860000014, -0.140000001, 0.039999999]]]> : tensor<1x2x4xf32>
  %w = arith.constant dense<[[0.899999976, -0.5, 0.610000014], [0.349999994, 0.430000007, 0.25999999]]> : tensor<2x3xf32>
  %b = arith.constant dense<[0.939999998, -0.330000013]> : tensor<2xf32>
  %s = arith.constant dense<[[[-0.200000003, -0.589999974], [-0.899999976, -0.569999993]]]> : tensor<1x2x2xf32>
  %i = tensor.empty() : tensor<1x2x4xf32>
  %j = tensor.empty() : tensor<1x2x2xf32>
  %got0, %got1 = attn.causal_conv_with_state ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3xf32>) bias(%b : tensor<2xf32>) state(%s : tensor<1x2x2xf32>) outs(%i, %j : tensor<1x2x4xf32>, tensor<1x2x2xf32>) -> tensor<1x2x4xf32>, tensor<1x2x2xf32>
  %want0 = arith.constant dense<[[[1.15260005, 0.237500072, 1.622600079, 0.315200031], [-0.669100046, -0.387599975, -0.43870002, -0.680800021]]]> : tensor<1x2x4xf32>
  %want1 = arith.constant dense<[[[0.75999999, -0.180000007], [-0.140000001, 0.039999999]]]> : tensor<1x2x2xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>
}

func.func @conv_silu() -> (tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>) {
  %x = arith.constant dense<[[[0.829999983, 0.680000007, -0.779999971, 0.209999993], [-0.039999999, 0.189999998, 0.319999993, -0.389999986]]]> : tensor<1x2x4xf32>
  %w = arith.constant dense<[[0.920000017, -0.07, 0.25999999], [0.270000011, -0.629999995, -0.879999995]]> : tensor<2x3xf32>
  %s = arith.constant dense<[[[-0.180000007, 0.529999971], [0.629999995, 0.460000008]]]> : tensor<1x2x2xf32>
  %i = tensor.empty() : tensor<1x2x4xf32>
  %j = tensor.empty() : tensor<1x2x2xf32>
  %got0, %got1 = attn.causal_conv_with_state ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3xf32>) state(%s : tensor<1x2x2xf32>) outs(%i, %j : tensor<1x2x4xf32>, tensor<1x2x2xf32>) {silu} -> tensor<1x2x4xf32>, tensor<1x2x2xf32>
  %want0 = arith.constant dense<[[[0.006592887, 0.392334521, 0.321035534, 0.496620268], [-0.040465999, -0.008820785, -0.164184213, 0.105723858]]]> : tensor<1x2x4xf32>
  %want1 = arith.constant dense<[[[-0.779999971, 0.209999993], [0.319999993, -0.389999986]]]> : tensor<1x2x2xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>
}
// Fewer positions than the state has: a part of the old one stays.
func.func @conv_short() -> (tensor<1x2x1xf32>, tensor<1x2x1xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>) {
  %x = arith.constant dense<[[[-0.769999981], [0.829999983]]]> : tensor<1x2x1xf32>
  %w = arith.constant dense<[[0.600000024, 0.75999999, 0.050000001, 0.829999983], [-0.910000026, -0.939999998, -0.959999979, -0.49000001]]> : tensor<2x4xf32>
  %b = arith.constant dense<[-0.5, -0.620000005]> : tensor<2xf32>
  %i = tensor.empty() : tensor<1x2x1xf32>
  %j = tensor.empty() : tensor<1x2x3xf32>
  %got0, %got1 = attn.causal_conv_with_state ins(%x, %w : tensor<1x2x1xf32>, tensor<2x4xf32>) bias(%b : tensor<2xf32>) outs(%i, %j : tensor<1x2x1xf32>, tensor<1x2x3xf32>) -> tensor<1x2x1xf32>, tensor<1x2x3xf32>
  %want0 = arith.constant dense<[[[-1.139099956], [-1.02670002]]]> : tensor<1x2x1xf32>
  %want1 = arith.constant dense<[[[0.0, 0.0, -0.769999981], [0.0, 0.0, 0.829999983]]]> : tensor<1x2x3xf32>
  return %got0, %want0, %got1, %want1 : tensor<1x2x1xf32>, tensor<1x2x1xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>
}

func.func @append() -> (tensor<2x4x3xf32>, tensor<2x4x3xf32>) {
  %c = arith.constant dense<[[[0.129999995, -0.920000017, 0.180000007], [-0.670000017, 0.360000014, -0.959999979], [-0.379999995, 0.879999995, 0.079999998], [0.620000005, 0.319999993, 0.219999999]], [[-0.620000005, 0.150000006, -0.920000017], [0.600000024, 0.920000017, 0.709999979], [-0.899999976, -0.319999993, -0.360000014], [-0.769999981, 0.25, 0.589999974]]]> : tensor<2x4x3xf32>
  %u = arith.constant dense<[[[-0.370000005, 0.730000019, 0.589999974], [-0.74000001, 0.529999971, 0.769999981]], [[-0.610000014, 0.150000006, 0.280000001], [0.219999999, -0.810000002, 0.319999993]]]> : tensor<2x2x3xf32>
  %p = arith.constant dense<[2, 0]> : tensor<2xi64>
  %i = tensor.empty() : tensor<2x4x3xf32>
  %got = attn.cache_append axis(1) ins(%c, %u : tensor<2x4x3xf32>, tensor<2x2x3xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  %want = arith.constant dense<[[[0.129999995, -0.920000017, 0.180000007], [-0.670000017, 0.360000014, -0.959999979], [-0.370000005, 0.730000019, 0.589999974], [-0.74000001, 0.529999971, 0.769999981]], [[-0.610000014, 0.150000006, 0.280000001], [0.219999999, -0.810000002, 0.319999993], [-0.899999976, -0.319999993, -0.360000014], [-0.769999981, 0.25, 0.589999974]]]> : tensor<2x4x3xf32>
  return %got, %want : tensor<2x4x3xf32>, tensor<2x4x3xf32>
}

func.func @append_ring() -> (tensor<2x4x3xf32>, tensor<2x4x3xf32>) {
  %c = arith.constant dense<[[[0.25999999, 0.649999976, 0.610000014], [-0.349999994, 0.439999998, 0.730000019], [0.790000021, -0.680000007, -0.949999988], [0.300000012, -0.569999993, 0.129999995]], [[0.889999986, -0.239999995, -0.49000001], [-0.090000004, 0.310000002, -0.800000012], [-0.239999995, -0.730000019, 0.319999993], [0.660000026, -0.25, -0.25999999]]]> : tensor<2x4x3xf32>
  %u = arith.constant dense<[[[0.079999998, -0.569999993, -0.50999999], [-0.340000004, -0.090000004, -0.839999974]], [[0.50999999, 0.159999996, -0.400000006], [-0.839999974, 0.529999971, -0.74000001]]]> : tensor<2x2x3xf32>
  %p = arith.constant dense<[3, -3]> : tensor<2xi64>
  %i = tensor.empty() : tensor<2x4x3xf32>
  %got = attn.cache_append axis(1) ins(%c, %u : tensor<2x4x3xf32>, tensor<2x2x3xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x4x3xf32>) {ring} -> tensor<2x4x3xf32>
  %want = arith.constant dense<[[[-0.340000004, -0.090000004, -0.839999974], [-0.349999994, 0.439999998, 0.730000019], [0.790000021, -0.680000007, -0.949999988], [0.079999998, -0.569999993, -0.50999999]], [[0.889999986, -0.239999995, -0.49000001], [0.50999999, 0.159999996, -0.400000006], [-0.839999974, 0.529999971, -0.74000001], [0.660000026, -0.25, -0.25999999]]]> : tensor<2x4x3xf32>
  return %got, %want : tensor<2x4x3xf32>, tensor<2x4x3xf32>
}

func.func @append_last_axis() -> (tensor<2x4x3xf32>, tensor<2x4x3xf32>) {
  %c = arith.constant dense<[[[-0.730000019, -0.74000001, -0.839999974], [0.810000002, -0.460000008, -0.389999986], [0.670000017, 0.239999995, -0.629999995], [-0.129999995, 0.769999981, -0.25]], [[0.419999987, -0.810000002, 0.449999988], [0.550000012, 0.649999976, 0.349999994], [-0.25999999, -0.870000005, 0.039999999], [0.50999999, -0.620000005, -0.469999999]]]> : tensor<2x4x3xf32>
  %u = arith.constant dense<[[[-0.209999993, 0.280000001], [-0.629999995, 0.519999981], [0.519999981, 0.439999998], [-0.109999999, -0.239999995]], [[-0.159999996, -0.930000007], [0.689999998, 0.079999998], [-0.219999999, 0.100000001], [0.439999998, -0.239999995]]]> : tensor<2x4x2xf32>
  %p = arith.constant dense<[2, 7]> : tensor<2xi64>
  %i = tensor.empty() : tensor<2x4x3xf32>
  %got = attn.cache_append axis(2) ins(%c, %u : tensor<2x4x3xf32>, tensor<2x4x2xf32>) positions(%p : tensor<2xi64>) outs(%i : tensor<2x4x3xf32>) {ring} -> tensor<2x4x3xf32>
  %want = arith.constant dense<[[[0.280000001, -0.74000001, -0.209999993], [0.519999981, -0.460000008, -0.629999995], [0.439999998, 0.239999995, 0.519999981], [-0.239999995, 0.769999981, -0.109999999]], [[0.419999987, -0.159999996, -0.930000007], [0.550000012, 0.689999998, 0.079999998], [-0.25999999, -0.219999999, 0.100000001], [0.50999999, 0.439999998, -0.239999995]]]> : tensor<2x4x3xf32>
  return %got, %want : tensor<2x4x3xf32>, tensor<2x4x3xf32>
}
